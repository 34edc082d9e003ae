import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { makeTransportStream } from '#test/harness/transport-stream.ts';
import { splitAnnexB } from '../packaging/codecs/nal-units.ts';
import type { StreamHealth } from '../live/stream-report.ts';
import { StreamMonitor } from './stream-monitor.ts';

const CLEAN = { syncLosses: 0, syncByteErrors: 0, garbageBytes: 0 };
const DATAGRAM = 1316;
const MUX_RATE = 2_000_000;
const FAULTLESS: Partial<StreamHealth> = {
  patErrors: 0,
  continuityErrors: 0,
  pmtErrors: 0,
  pidErrors: 0,
  transportErrors: 0,
  crcErrors: 0,
  pcrErrors: 0,
  pcrAccuracyErrors: 0,
  ptsErrors: 0,
  catErrors: 0,
};

describe('the monitor', { skip: withoutFfmpeg }, () => {
  let stream: Buffer;

  before(() => {
    stream = makeTransportStream({ muxRate: MUX_RATE, seconds: 8 });
  });

  /** As it comes at its rate; the clock goes on while there is nothing, too. */
  function watch(bytes: Buffer, bitRate = MUX_RATE): StreamMonitor {
    const monitor = new StreamMonitor(true);
    let ticked = 0;
    for (let at = 0; at < bytes.length; at += DATAGRAM) {
      const now = (at * 8000) / bitRate;
      monitor.inspect(bytes.subarray(at, at + DATAGRAM), now);
      for (; ticked <= now; ticked += 100) monitor.tick(now);
    }
    return monitor;
  }

  /** The stream, with each packet as `change` leaves it; without those for which it returns false. */
  function changed(change: (packet: Buffer, pid: number, index: number) => boolean | undefined): Buffer {
    const packets: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 188) {
      const packet = Buffer.from(stream.subarray(at, at + 188));
      if (change(packet, packet.readUInt16BE(1) & 0x1fff, at / 188) !== false) packets.push(packet);
    }
    return Buffer.concat(packets);
  }

  const errorsOf = (bytes: Buffer): Partial<StreamHealth> => {
    const { packets, garbageBytes, syncLosses, syncByteErrors, ...rest } = watch(bytes).health(CLEAN);
    assert.ok(packets > 0 && garbageBytes + syncLosses + syncByteErrors === 0);
    return rest;
  };

  it('finds no fault in a stream that has none', () => {
    assert.deepEqual(errorsOf(stream), FAULTLESS);
  });

  for (const [video, codec] of [
    ['h264', 'H.264'],
    ['hevc', 'HEVC'],
    ['mpeg2video', 'MPEG-2 Video'],
  ] as const) {
    for (const [audio, name] of [
      ['aac', 'AAC'],
      ['ac3', 'AC-3'],
      ['mp2', 'MPEG-1 Audio'],
    ] as const) {
      it(`tells programs and streams of ${codec} with ${name}`, () => {
        const [program] = watch(makeTransportStream({ video, audio, seconds: 2 }), 1_000_000).programs();
        assert.equal(program?.programNumber, 1);
        assert.equal(program.pcrPid, 0x100);
        const [picture, sound] = program.streams;
        assert.deepEqual(
          [picture?.kind, picture?.codec, picture?.frameRate, picture?.frameResolution, picture?.pid],
          ['video', codec, '25', '320x180', 0x100],
        );
        assert.deepEqual([sound?.kind, sound?.codec, sound?.channels, sound?.sampleRate], ['audio', name, 2, 48_000]);
      });
    }
  }

  it('keeps a key frame with its parameter sets', () => {
    const frame = watch(stream).keyFrame();
    assert.equal(frame?.codec, 'h264');
    const types = splitAnnexB(frame.data).map((unit) => (unit[0] ?? 0) & 0x1f);
    for (const type of [7, 8, 5]) assert.ok(types.includes(type), `${types.join()}`);
  });

  it('counts a missing packet as one continuity error', () => {
    const faults = errorsOf(changed((_packet, pid, index) => !(pid === 0x100 && index > 2000 && index < 2004)));
    assert.equal(faults.continuityErrors, 1);
  });

  it('lets a packet come twice, but not three times', () => {
    const doubled = (times: number) =>
      Buffer.concat(
        Array.from({ length: stream.length / 188 }, (_, index) => {
          const packet = stream.subarray(index * 188, index * 188 + 188);
          const isPicture = (packet.readUInt16BE(1) & 0x1fff) === 0x100 && ((packet[3] ?? 0) & 0x30) === 0x10;
          return isPicture && index > 1000 && index < 1100 ? Array<Buffer>(times).fill(packet) : [packet];
        }).flat(),
      );
    assert.equal(errorsOf(doubled(2)).continuityErrors, 0);
    assert.ok((errorsOf(doubled(3)).continuityErrors ?? 0) > 0);
  });

  it('counts each half second without a PAT, and without a PMT', () => {
    const without = (table: number) => errorsOf(changed((_packet, pid, index) => !(pid === table && index > 2000)));
    const { patErrors = 0, pmtErrors } = without(0);
    assert.ok(patErrors >= 8 && patErrors <= 14, `${patErrors}`);
    assert.equal(pmtErrors, 0);
    const { pmtErrors: later = 0 } = without(0x1000);
    assert.ok(later >= 8 && later <= 14, `${later}`);
  });

  it('counts a stream that stays away', () => {
    assert.equal(errorsOf(changed((_packet, pid, index) => !(pid === 0x101 && index > 1000))).pidErrors, 1);
  });

  it('counts packets that are marked as damaged', () => {
    const faults = errorsOf(
      changed((packet, pid, index) => {
        if (pid === 0x1fff && index % 50 === 0) packet[1] = (packet[1] ?? 0) | 0x80;
        return true;
      }),
    );
    assert.ok((faults.transportErrors ?? 0) > 3);
  });

  it('counts tables with a wrong checksum, and believes nothing of them', () => {
    const monitor = watch(
      changed((packet, pid) => {
        if (pid === 0x1000) packet[20] = (packet[20] ?? 0) ^ 1;
        return true;
      }),
    );
    assert.ok(monitor.health(CLEAN).crcErrors > 10);
    assert.deepEqual(monitor.programs()[0]?.streams, []);
  });

  it('counts clock references that jump, or are off the rate', () => {
    const shifted = (ticks: number, isChosen: (index: number) => boolean) =>
      errorsOf(
        changed((packet, pid, index) => {
          const hasClock = pid === 0x100 && ((packet[3] ?? 0) & 0x20) !== 0 && ((packet[5] ?? 0) & 0x10) !== 0;
          if (!hasClock || !isChosen(index)) return true;
          const base = packet.readUInt32BE(6) * 2 + ((packet[10] ?? 0) >> 7) + ticks;
          packet.writeUInt32BE(Math.floor(base / 2), 6);
          packet[10] = ((base & 1) << 7) | ((packet[10] ?? 0) & 0x7f);
          return true;
        }),
      );
    // Ten seconds later from here on.
    assert.equal(shifted(900_000, (index) => index > 3000).pcrErrors, 1);
    assert.ok((shifted(10, (index) => index > 3000 && index < 3100).pcrAccuracyErrors ?? 0) > 0);
  });

  it('counts time stamps that stay away, and scrambled packets without a CAT', () => {
    const faults = errorsOf(
      changed((packet, pid, index) => {
        // No PES packet of the sound begins for a while; its packets go on.
        if (pid === 0x101 && index > 3000 && index < 5000) packet[1] = (packet[1] ?? 0) & ~0x40;
        return true;
      }),
    );
    assert.ok((faults.ptsErrors ?? 0) >= 1);
    const scrambled = errorsOf(
      changed((packet, pid) => {
        if (pid === 0x101) packet[3] = (packet[3] ?? 0) | 0x80;
        return true;
      }),
    );
    assert.ok((scrambled.catErrors ?? 0) > 10);
  });

  it('misses nothing while nothing comes', () => {
    const monitor = new StreamMonitor(false);
    const half = Math.floor(stream.length / DATAGRAM / 2) * DATAGRAM;
    const play = (from: number, to: number, begin: number) => {
      for (let at = from; at < to; at += DATAGRAM) {
        const now = begin + ((at - from) * 8000) / MUX_RATE;
        monitor.inspect(stream.subarray(at, at + DATAGRAM), now);
        monitor.tick(now);
      }
    };
    play(0, half, 0);
    for (let now = 4000; now < 60_000; now += 100) monitor.tick(now);
    play(half, stream.length, 60_000);
    const health = monitor.health(CLEAN);
    // Some hundred milliseconds of silence pass before it is known to be one.
    assert.ok(health.pcrErrors <= 1);
    assert.deepEqual({ ...health, pcrErrors: 0 }, { ...health, ...FAULTLESS });
  });

  it('survives whatever comes', () => {
    const monitor = new StreamMonitor(true);
    let seed = 1;
    for (let round = 0; round < 3000; round++) {
      const at = ((round * 7) % Math.floor(stream.length / 188 - 7)) * 188;
      const datagram = Buffer.from(stream.subarray(at, at + DATAGRAM));
      for (let flip = 0; flip < 20; flip++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        datagram[seed % DATAGRAM] = seed >> 16;
      }
      monitor.inspect(datagram, round);
      monitor.tick(round);
    }
    assert.ok(monitor.health(CLEAN).packets > 0);
    assert.ok(monitor.programs().length <= 64);
  });
});
