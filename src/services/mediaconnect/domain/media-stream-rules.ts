import type { Fmtp, MediaStream, MediaStreamAttributesRequest } from '@aws-sdk/client-mediaconnect';
import type { AddMediaStreamRequest, Loose } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';
import { withoutAbsent } from './source-rules.ts';
import { checkName, checkText } from './value-rules.ts';

const FIRST_FORMAT = 96;
const LAST_FORMAT = 127;
const FORMATS = new Set(['2160p', '1080p', '1080i', '720p', '480p']);
const CLOCK_RATES = { video: [90_000], 'ancillary-data': [90_000], audio: [48_000, 96_000] } as const;
const OF_VIDEO = ['Colorimetry', 'ExactFramerate', 'Par', 'Range', 'ScanMode', 'Tcs'] as const;

/**
 * Media streams describe uncompressed video; they are kept and told, and nothing here carries them.
 *
 * @throws ServiceError BadRequestException
 */
export function withMediaStreams(
  before: readonly MediaStream[],
  added: readonly AddMediaStreamRequest[],
): MediaStream[] {
  const result = [...before];
  for (const given of added) {
    const name = checkName(given.MediaStreamName ?? '', 128, 'MediaStreams: MediaStreamName');
    if (Object.keys(given.MediaStreamTags ?? {}).length > 0) {
      throw notCarriedOut(`Media stream ${name}: MediaStreamTags`, 'media streams are only kept and told.');
    }
    if (result.some(({ MediaStreamName }) => MediaStreamName === name)) {
      throw badRequest(`Media stream ${name}: the name is there already.`);
    }
    if (result.some(({ MediaStreamId }) => MediaStreamId === given.MediaStreamId)) {
      throw badRequest(`Media stream ${name}: the MediaStreamId ${given.MediaStreamId ?? ''} is there already.`);
    }
    const { MediaStreamTags: _, ...rest } = given;
    result.push(checkMediaStream({ ...rest, MediaStreamName: name, Fmt: freeFormat(result) }));
  }
  return result;
}

type MediaStreamSettings = Omit<MediaStream, 'Attributes'> & {
  readonly Attributes?: Loose<MediaStreamAttributesRequest> | undefined;
};

/** @throws ServiceError BadRequestException */
export function checkMediaStream(given: MediaStreamSettings): MediaStream {
  const what = `Media stream ${given.MediaStreamName ?? ''}`;
  const type = given.MediaStreamType ?? 'video';
  const { Attributes, ...rest } = given;
  const fmtp = withoutAbsent(Attributes?.Fmtp ?? {});
  checkText(given.Description, 1024, `${what}: Description`);
  if (given.MediaStreamId !== undefined && (given.MediaStreamId < 0 || given.MediaStreamId > 65_535)) {
    throw badRequest(`${what}: MediaStreamId must be from 0 to 65535.`);
  }
  const rates: readonly number[] = CLOCK_RATES[type];
  const rate = given.ClockRate ?? rates[0];
  if (rate === undefined || !rates.includes(rate)) {
    throw badRequest(`${what}: ClockRate must be ${rates.join(' or ')} for ${type}.`);
  }
  if (given.VideoFormat !== undefined && (type !== 'video' || !FORMATS.has(given.VideoFormat))) {
    throw badRequest(`${what}: VideoFormat is of video, and one of ${[...FORMATS].join(', ')}.`);
  }
  checkFormat(fmtp, type, what);
  if (
    Attributes?.Lang !== undefined &&
    (type !== 'audio' || !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(Attributes.Lang))
  ) {
    throw badRequest(`${what}: Attributes.Lang is of audio, and a language such as en.`);
  }
  return {
    ...withoutAbsent(rest),
    ClockRate: rate,
    ...(Attributes !== undefined && {
      Attributes: { Fmtp: fmtp, ...(Attributes.Lang !== undefined && { Lang: Attributes.Lang }) },
    }),
  };
}

function checkFormat(fmtp: Fmtp, type: keyof typeof CLOCK_RATES, what: string): void {
  const where = `${what}: Attributes.Fmtp`;
  if (type !== 'video') {
    for (const member of OF_VIDEO) if (fmtp[member] !== undefined) throw badRequest(`${where}.${member} is of video.`);
  }
  if (fmtp.ExactFramerate !== undefined && !/^[1-9]\d{0,8}(\/[1-9]\d{0,8})?$/.test(fmtp.ExactFramerate)) {
    throw badRequest(`${where}.ExactFramerate must be a number such as 25 or 60000/1001.`);
  }
  if (fmtp.Par !== undefined && !/^[1-9]\d{0,4}:[1-9]\d{0,4}$/.test(fmtp.Par)) {
    throw badRequest(`${where}.Par must be a ratio such as 1:1.`);
  }
  if (
    fmtp.ChannelOrder !== undefined &&
    (type !== 'audio' || !/^SMPTE2110\.\([A-Za-z0-9,]{1,100}\)$/.test(fmtp.ChannelOrder))
  ) {
    throw badRequest(`${where}.ChannelOrder is of audio, such as SMPTE2110.(ST).`);
  }
}

/** The first RTP payload type that no other media stream of the flow has. */
function freeFormat(streams: readonly MediaStream[]): number {
  for (let format = FIRST_FORMAT; format <= LAST_FORMAT; format++) {
    if (!streams.some(({ Fmt }) => Fmt === format)) return format;
  }
  throw badRequest(`A flow has at most ${LAST_FORMAT - FIRST_FORMAT + 1} media streams.`);
}
