import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ResendHistory } from './resend-history.ts';
import { RistReceiver } from './rist-receiver.ts';

const LATENCY_MS = 300;
const TRIP_MS = 20;

function payloadOf(index: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(index);
  return payload;
}

interface Network {
  readonly first: number;
  /** Whether each packet is lost, and how much longer it takes than others. */
  readonly packets: readonly { readonly isLost: boolean; readonly delay: number }[];
  /** Whether what is sent after that is lost: requests, and packets that are sent again; used over and over. */
  readonly later: readonly boolean[];
}

const network: fc.Arbitrary<Network> = fc.record({
  first: fc.nat(0xffff),
  packets: fc.array(fc.record({ isLost: fc.boolean(), delay: fc.nat(15) }), { minLength: 1, maxLength: 150 }),
  later: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
});

/** A sender and a receiver with a network between them, a packet each millisecond. */
function run({ first, packets, later }: Network) {
  const delivered: { readonly index: number; readonly at: number }[] = [];
  const receiver = new RistReceiver({ latencyMs: LATENCY_MS, isOrdered: true }, (payload) => {
    delivered.push({ index: payload.readUInt32BE(), at: now });
  });
  const history = new ResendHistory(LATENCY_MS);
  const onTheWay: { readonly at: number; readonly arrive: () => void }[] = [];
  const ranges = new Uint16Array(64);
  let turns = 0;
  const isLostLater = (): boolean => later[turns++ % later.length] === true;
  const send = (delay: number, arrive: () => void): void => void onTheWay.push({ at: now + delay, arrive });
  const resend = (sequence: number): void => {
    if (!history.find(sequence, 2 * TRIP_MS, now)) return;
    const { payload } = history;
    if (!isLostLater()) send(TRIP_MS, () => receiver.packet(payload, sequence, true, now));
  };
  let now = 0;
  for (; now < packets.length + 2 * LATENCY_MS; now++) {
    const packet = packets[now];
    if (packet !== undefined) {
      const sequence = (first + now) & 0xffff;
      const payload = payloadOf(now);
      history.add(payload, sequence, now * 90, now);
      if (!packet.isLost) send(TRIP_MS + packet.delay, () => receiver.packet(payload, sequence, false, now));
    }
    for (const one of onTheWay.splice(0)) {
      if (one.at <= now) one.arrive();
      else onTheWay.push(one);
    }
    receiver.tick(now);
    const count = receiver.requests(now, 2 * TRIP_MS, ranges, 32);
    const asked = Array.from(ranges.subarray(0, count * 2));
    if (count > 0 && !isLostLater()) {
      send(TRIP_MS, () => {
        for (let index = 0; index < asked.length; index += 2) {
          for (let more = 0; more <= (asked[index + 1] ?? 0); more++) resend(((asked[index] ?? 0) + more) & 0xffff);
        }
      });
    }
  }
  return { receiver, delivered };
}

describe('RistReceiver with ResendHistory', () => {
  it('gives all that was sent where requests and what is sent again are not lost', () => {
    fc.assert(
      fc.property(network, (path) => {
        const { receiver, delivered } = run({ ...path, later: [false] });
        const start = delivered[0]?.index ?? path.packets.length;
        const last = path.packets.findLastIndex(({ isLost }) => !isLost);
        assert.equal(delivered.length, Math.max(0, last - start + 1));
        assert.equal(receiver.lost, 0);
        assert.ok(delivered.every(({ index }, position) => index === start + position));
        const missed = path.packets.slice(start, last + 1).filter(({ isLost }) => isLost).length;
        // What was late looks lost, and may come twice.
        assert.ok(receiver.recovered >= missed && receiver.recovered <= receiver.asked);
      }),
    );
  });

  it('gives everything once and in order, or counts it as lost, on any network', () => {
    fc.assert(
      fc.property(network, (path) => {
        const { receiver, delivered } = run(path);
        const start = delivered[0]?.index ?? 0;
        const end = (delivered.at(-1)?.index ?? -1) + 1;
        assert.ok(delivered.every(({ index }, position) => index > (delivered[position - 1]?.index ?? -1)));
        assert.equal(delivered.length + receiver.lost, end - start);
        assert.equal(receiver.hasMissing, false);
      }),
    );
  });

  it('delays every packet by the latency, the recovered ones with the others', () => {
    fc.assert(
      fc.property(network, (path) => {
        const { delivered } = run({ ...path, packets: path.packets.map((packet) => ({ ...packet, delay: 0 })) });
        for (const { index, at } of delivered) {
          const wait = at - index - TRIP_MS;
          // A missing packet's time is that of the next one that came.
          const behind = path.packets.slice(index).findIndex(({ isLost }) => !isLost);
          assert.equal(wait, LATENCY_MS + behind);
        }
      }),
    );
  });

  it('asks for a whole gap in one range, and again after a round trip', () => {
    const receiver = new RistReceiver({ latencyMs: 1000, isOrdered: true }, () => undefined);
    const ranges = new Uint16Array(8);
    receiver.packet(payloadOf(0), 65_530, false, 0);
    receiver.packet(payloadOf(1), 5, false, 0);
    assert.equal(receiver.requests(5, 40, ranges, 4), 0);
    assert.equal(receiver.requests(10, 40, ranges, 4), 1);
    assert.deepEqual([...ranges.subarray(0, 2)], [65_531, 9]);
    assert.equal(receiver.requests(59, 40, ranges, 4), 0);
    assert.equal(receiver.requests(60, 40, ranges, 4), 1);
    assert.equal(receiver.asked, 10);
    assert.equal(receiver.requests(1000, 40, ranges, 4), 0);
    assert.equal(receiver.hasMissing, false);
  });

  it('does not send again more than was sent, nor a packet twice in a round trip', () => {
    const history = new ResendHistory(1000);
    for (let index = 0; index < 5000; index++)
      history.add(payloadOf(index), (60_000 + index) & 0xffff, index, index / 10);
    assert.equal(history.find(60_000, 50, 500), true);
    assert.equal(history.find(60_000, 50, 539), false);
    assert.equal(history.find(60_000, 50, 540), true);
    assert.equal(history.payload.readUInt32BE(), 0);
    let found = 2;
    for (let round = 1; round < 50; round++) {
      for (let index = 0; index < 5000; index++) {
        if (history.find((60_000 + index) & 0xffff, 50, 540 + round)) found++;
      }
    }
    assert.equal(found, 2000);
  });

  it('lets go of what is too old', () => {
    const history = new ResendHistory(1000);
    history.add(payloadOf(1), 1, 0, 0);
    history.add(payloadOf(2), 2, 0, 600);
    history.forget(1101);
    assert.equal(history.find(1, undefined, 1101), false);
    assert.equal(history.find(2, undefined, 1101), true);
    assert.equal(history.find(3, undefined, 1101), false);
  });
});
