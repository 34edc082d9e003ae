/** A name and a text, from a SimpleTag. A tag without text has an empty one. */
export interface SimpleTag {
  readonly name: string;
  readonly value: string;
}

/** The producer's word that a fragment is over. */
export const END_OF_FRAGMENT_TAG = 'AWS_KINESISVIDEO_END_OF_FRAGMENT';
