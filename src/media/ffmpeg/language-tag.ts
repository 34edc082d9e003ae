/** ISO 639, or BCP 47 with what follows it, such as `pt-BR`. */
const TAG = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/;

/**
 * The language that an input tells of its sound; `undefined` for none. A file may tell anything there: what is no tag of a
 * language does not come into manifests and outputs.
 */
export function languageTag(told: string | null | undefined): string | undefined {
  return told === undefined || told === null || told === 'und' || !TAG.test(told) ? undefined : told;
}
