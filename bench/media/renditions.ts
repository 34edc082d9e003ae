import type { Input, VideoCodecSettings } from '@aws-sdk/client-mediaconvert';

export interface RenditionFacts {
  readonly width: number;
  readonly height: number;
  /** Bits a second. */
  readonly bitrate: number;
}

export const AAC = {
  Codec: 'AAC',
  AacSettings: { Bitrate: 128_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 },
} as const;

/** H.264 as `x264Arguments` makes it. */
export function h264Of({ bitrate }: RenditionFacts): VideoCodecSettings {
  return {
    Codec: 'H_264',
    H264Settings: {
      RateControlMode: 'VBR',
      Bitrate: bitrate,
      MaxBitrate: bitrate * 1.5,
      HrdBufferSize: bitrate * 3,
      QualityTuningLevel: 'SINGLE_PASS',
      GopSize: 60,
      GopSizeUnits: 'FRAMES',
      CodecProfile: 'HIGH',
    },
  };
}

/** One output's arguments for the `ffmpeg` command, without its file. */
export function x264Arguments({ width, height, bitrate }: RenditionFacts): string[] {
  const video = `-map 0:v -map 0:a -s ${width}x${height} -c:v libx264 -preset veryfast -profile:v high`;
  const rate = `-b:v ${bitrate} -maxrate ${bitrate * 1.5} -bufsize ${bitrate * 3} -g 60 -pix_fmt yuv420p`;
  return `${video} ${rate} -c:a aac -b:a 128k`.split(' ');
}

/** With its sound, which jobs have to ask for. */
export function inputOf(FileInput: string): Input {
  return { FileInput, AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } } };
}
