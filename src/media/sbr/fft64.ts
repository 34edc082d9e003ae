export const SIZE = 64;
const BITS = 6;

const COS: Float64Array = Float64Array.from({ length: SIZE / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / SIZE));
const SIN: Float64Array = Float64Array.from({ length: SIZE / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / SIZE));

const REVERSED: Uint8Array = Uint8Array.from({ length: SIZE }, (_, index) => {
  let value = 0;
  for (let bit = 0; bit < BITS; bit++) value |= ((index >> bit) & 1) << (BITS - 1 - bit);
  return value;
});

/** A complex discrete Fourier transform of 64 values in place, with a positive exponent and no factor. */
export function fft64(re: Float64Array, im: Float64Array): void {
  for (let index = 0; index < SIZE; index++) {
    const other = REVERSED[index] as number;
    if (other <= index) continue;
    const [x, y] = [re[index] as number, im[index] as number];
    re[index] = re[other] as number;
    im[index] = im[other] as number;
    re[other] = x;
    im[other] = y;
  }
  for (let half = 1; half < SIZE; half <<= 1) {
    const step = SIZE / 2 / half;
    for (let start = 0; start < SIZE; start += half << 1) {
      for (let k = 0; k < half; k++) {
        const cos = COS[k * step] as number;
        const sin = SIN[k * step] as number;
        const upper = start + k;
        const lower = upper + half;
        const x = (re[lower] as number) * cos - (im[lower] as number) * sin;
        const y = (re[lower] as number) * sin + (im[lower] as number) * cos;
        re[lower] = (re[upper] as number) - x;
        im[lower] = (im[upper] as number) - y;
        re[upper] = (re[upper] as number) + x;
        im[upper] = (im[upper] as number) + y;
      }
    }
  }
}
