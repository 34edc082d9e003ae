import { RistOutput } from '../rist/rist-output.ts';
import { RistSource } from '../rist/rist-source.ts';
import { RtpFecOutput } from '../rtp/rtp-fec-output.ts';
import { RtpFecSource } from '../rtp/rtp-fec-source.ts';
import { RtpOutput } from '../rtp/rtp-output.ts';
import { RtpSource } from '../rtp/rtp-source.ts';
import { UdpOutput } from '../rtp/udp-output.ts';
import { UdpSource } from '../rtp/udp-source.ts';
import { SrtCallerOutput } from '../srt/srt-caller-output.ts';
import { SrtCallerSource } from '../srt/srt-caller-source.ts';
import { SrtListenerOutput } from '../srt/srt-listener-output.ts';
import { SrtListenerSource } from '../srt/srt-listener-source.ts';
import type { OutputTransport, SourceTransport } from './flow-spec.ts';
import type { LegEventListener, OutputLeg, PacketSink, SourceLeg } from './leg.ts';

/** @param isOrdered false where the packets of two sources are put in order together */
export function createSource(
  transport: SourceTransport,
  sink: PacketSink,
  onEvent: LegEventListener,
  isOrdered: boolean,
): SourceLeg {
  switch (transport.protocol) {
    case 'udp':
      return new UdpSource(transport, sink, onEvent);
    case 'rtp':
      return new RtpSource(transport, sink, onEvent, { isOrdered });
    case 'rtp-fec':
      return new RtpFecSource(transport, sink, onEvent, { isOrdered });
    case 'rist':
      return new RistSource(transport, sink, onEvent, { isOrdered });
    case 'srt-listener':
      return new SrtListenerSource(transport, sink, onEvent);
    case 'srt-caller':
      return new SrtCallerSource(transport, sink, onEvent);
  }
}

export function createOutput(transport: OutputTransport, onEvent: LegEventListener): OutputLeg {
  switch (transport.protocol) {
    case 'udp':
      return new UdpOutput(transport, onEvent);
    case 'rtp':
      return new RtpOutput(transport, onEvent);
    case 'rtp-fec':
      return new RtpFecOutput(transport, onEvent);
    case 'rist':
      return new RistOutput(transport, onEvent);
    case 'srt-listener':
      return new SrtListenerOutput(transport, onEvent);
    case 'srt-caller':
      return new SrtCallerOutput(transport, onEvent);
  }
}
