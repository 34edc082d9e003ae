import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colorAt, CubeError, readCube } from './cube-file.ts';

/** Each colour is turned into its opposite. */
function inverted(size: number, head = ''): string {
  const lines = [`TITLE "inverted"`, '# a comment', head, `LUT_3D_SIZE ${size}`];
  for (let blue = 0; blue < size; blue++) {
    for (let green = 0; green < size; green++) {
      for (let red = 0; red < size; red++)
        lines.push([red, green, blue].map((value) => 1 - value / (size - 1)).join(' '));
    }
  }
  return lines.join('\r\n');
}

describe('a .cube file', () => {
  it('gives the colours of its points, and those between them', () => {
    const table = readCube(Buffer.from(inverted(3)));
    assert.deepEqual(colorAt(table, 0, 0.5, 1), [1, 0.5, 0]);
    const between = colorAt(table, 0.1, 0.3, 0.9);
    for (const [index, wanted] of [0.9, 0.7, 0.1].entries()) assert.ok(Math.abs((between[index] ?? 0) - wanted) < 1e-6);
    const wide = readCube(Buffer.from(inverted(2, 'DOMAIN_MAX 2 2 2')));
    assert.deepEqual(colorAt(wide, 1, 1, 0), [0.5, 0.5, 1]);
  });

  it('that is none is refused, whatever it says of itself', () => {
    for (const text of [
      '',
      'LUT_1D_SIZE 2\n0 0 0\n1 1 1',
      'LUT_3D_SIZE 1000000\n0 0 0',
      'LUT_3D_SIZE 2\n0 0 0',
      `${inverted(2)}\n0 0 0`,
      inverted(2).replace('1 1 1', '1 1'),
      inverted(2).replace('1 1 1', '1 1 x'),
      inverted(2, 'DOMAIN_MIN 1 1 1'),
    ]) {
      assert.throws(() => readCube(Buffer.from(text)), CubeError, text.slice(0, 40));
    }
  });
});
