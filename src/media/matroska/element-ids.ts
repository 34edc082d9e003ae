/** The ids of the elements that are looked at, with their length marker, as they lie in the stream. Frozen. */
export const ELEMENT = {
  ebml: 0x1a45dfa3,
  ebmlReadVersion: 0x42f7,
  ebmlMaxIdLength: 0x42f2,
  ebmlMaxSizeLength: 0x42f3,
  docType: 0x4282,
  void: 0xec,
  crc32: 0xbf,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  info: 0x1549a966,
  timecodeScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  trackName: 0x536e,
  language: 0x22b59c,
  languageBcp47: 0x22b59d,
  defaultDuration: 0x23e383,
  contentEncodings: 0x6d80,
  contentEncoding: 0x6240,
  contentEncodingType: 0x5033,
  contentCompression: 0x5034,
  contentCompressionAlgorithm: 0x4254,
  contentCompressionSettings: 0x4255,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  bitDepth: 0x6264,
  chapters: 0x1043a770,
  attachments: 0x1941a469,
  cues: 0x1c53bb6b,
  tags: 0x1254c367,
  tag: 0x7373,
  targets: 0x63c0,
  tagTrackUid: 0x63c5,
  tagEditionUid: 0x63c9,
  tagChapterUid: 0x63c4,
  tagAttachmentUid: 0x63c6,
  simpleTag: 0x67c8,
  tagName: 0x45a3,
  tagString: 0x4487,
  cluster: 0x1f43b675,
  timecode: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
  referenceBlock: 0xfb,
} as const;

/** Elements that stand beside or above a Cluster: any of them ends one of unknown size. */
export function isAboveCluster(id: number): boolean {
  switch (id) {
    case ELEMENT.cluster:
    case ELEMENT.tags:
    case ELEMENT.cues:
    case ELEMENT.seekHead:
    case ELEMENT.info:
    case ELEMENT.tracks:
    case ELEMENT.chapters:
    case ELEMENT.attachments:
    case ELEMENT.segment:
    case ELEMENT.ebml:
      return true;
    default:
      return false;
  }
}
