/** Samples of the drift that make one correction, and the most that one corrects, in milliseconds. */
const DRIFT_SAMPLES = 1000;
const DRIFT_STEP = 5;
/**
 * The handshake takes its time on both sides, and a clock that is set by it alone is late: for so long, packets that come
 * sooner than they should by it set it right, by so much at most. In milliseconds.
 */
const SETTLING_MS = 1000;
const SETTLING_STEP = 200;
/** A timestamp further than this ahead of the peer's clock is nonsense. */
const FUTURE_MS = 1000;

/**
 * The peer's clock, seen from here: when a packet with a timestamp is due (SRT's TSBPD). All times in milliseconds, those
 * of packets in microseconds modulo 2^32.
 */
export class PeerClock {
  readonly #latency: number;
  /** When the peer's clock was 0, as far as is known. */
  #start: number;
  readonly #settledAt: number;
  #driftSum = 0;
  #driftSamples = 0;
  #firstRoundTrip: number | undefined;
  #lastTransit: number | undefined;
  #jitter = 0;

  /** @param timestamp of a packet that comes just now */
  constructor(timestamp: number, now: number, latency: number) {
    this.#start = now - timestamp / 1000;
    this.#settledAt = now + SETTLING_MS;
    this.#latency = latency;
  }

  /** The variation of the way's length (RFC 3550's jitter). */
  get jitter(): number {
    return this.#jitter;
  }

  /** When a packet that comes now is to be delivered: never later than a second and the latency from now. */
  dueAt(timestamp: number, now: number, isResent: boolean): number {
    const time = this.#timeOf(timestamp, now);
    if (!isResent) this.#measureJitter(now - time);
    if (time > now && time <= now + SETTLING_STEP && now < this.#settledAt) {
      this.#start -= time - now;
      return now + this.#latency;
    }
    return (time > now + FUTURE_MS ? now : time) + this.#latency;
  }

  /** Learns of a packet that was sent at once, as an answer, how far the clocks have run apart. */
  addSample(timestamp: number, now: number, roundTrip: number): void {
    this.#firstRoundTrip ??= roundTrip;
    this.#driftSum += now - this.#timeOf(timestamp, now) - (roundTrip - this.#firstRoundTrip) / 2;
    if (++this.#driftSamples < DRIFT_SAMPLES) return;
    const drift = this.#driftSum / DRIFT_SAMPLES;
    this.#start += Math.min(Math.max(drift, -DRIFT_STEP), DRIFT_STEP);
    this.#driftSum = 0;
    this.#driftSamples = 0;
  }

  #measureJitter(transit: number): void {
    const change = Math.abs(transit - (this.#lastTransit ?? transit));
    this.#jitter += (change - this.#jitter) / 16;
    this.#lastTransit = transit;
  }

  /** The full time of a timestamp: the one nearest to what the peer's clock should show. */
  #timeOf(timestamp: number, now: number): number {
    const expected = (now - this.#start) * 1000;
    const ahead = (timestamp - Math.round(expected % 2 ** 32)) | 0;
    return this.#start + (expected + ahead) / 1000;
  }
}
