import type { FileOutput, TransportFileSettings, TransportSettings } from '../output-group.ts';
import { frameBytes } from './hls-outputs.ts';
import type { MuxerTrack } from './muxer.ts';
import { nominalBitrate, type OutputTracks } from './outputs.ts';

/** Room for what is around pictures and sounds, where the stream's rate is found from theirs. */
const OVERHEAD = 1.1;
const TABLES_RATE = 50_000;

/** Gives tracks the packet identifiers that the settings name. */
export function withPids(tracks: readonly MuxerTrack[], transport: TransportSettings, hasVideo: boolean): MuxerTrack[] {
  return tracks.map((track, index) => {
    const pid = hasVideo && index === 0 ? transport.videoPid : transport.audioPids[index - (hasVideo ? 1 : 0)];
    return { ...track, ...(pid !== undefined && { id: pid }) };
  });
}

/** The options of FFmpeg's muxer for a file that is one transport stream. */
export function transportOptions(
  output: FileOutput,
  tracks: OutputTracks,
  transport: TransportFileSettings,
): Record<string, string | number> {
  const { constantRate, nullRate } = transport;
  const frame = Math.max(0, ...tracks.audios.map(({ encoder }) => frameBytes(encoder)));
  return {
    mpegts_pmt_start_pid: transport.pmtPid,
    mpegts_service_id: transport.programNumber,
    mpegts_transport_stream_id: transport.transportStreamId,
    ...(frame > 0 && { pes_payload_size: transport.audioFramesPerPes * frame }),
    pcr_period: transport.clockPeriodMs,
    pat_period: transport.tablePeriodMs / 1000,
    ...(transport.isLowDelay && { max_delay: 0 }),
    ...(transport.isDvb && { mpegts_flags: '+system_b' }),
    ...(constantRate !== undefined && {
      muxrate: Math.round((constantRate === 'auto' ? neededRate(output, tracks) : constantRate) + nullRate),
    }),
  };
}

/** What the tracks may take at the most, with what is around them. */
function neededRate(output: FileOutput, tracks: OutputTracks): number {
  const picture = nominalBitrate(output.video) ?? 0;
  const sounds = tracks.audios.map(({ encoder: { settings } }) => ('bitrate' in settings ? settings.bitrate : 384_000));
  return sounds.reduce((sum, rate) => sum + rate, picture) * OVERHEAD + TABLES_RATE;
}
