import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What is to be drawn with. */
export interface FontStyle {
  readonly family: 'sans' | 'serif' | 'mono';
  readonly isBold?: boolean;
  readonly isItalic?: boolean;
}

const FAMILIES = {
  sans: ['DejaVuSans', 'Bold', 'Oblique'],
  serif: ['DejaVuSerif', 'Bold', 'Italic'],
  mono: ['DejaVuSansMono', 'Bold', 'Oblique'],
} as const;

let folder: string | undefined;

/**
 * The file of a font that comes with Coffer (DejaVu), so that a picture looks the same on every machine.
 *
 * INVARIANT: nothing of a job or an input is in the path.
 */
export function fontFile({ family, isBold = false, isItalic = false }: FontStyle): string {
  folder ??= join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const [name, bold, italic] = FAMILIES[family];
  const style = `${isBold ? bold : ''}${isItalic ? italic : ''}`;
  return join(folder, `${name}${style === '' ? '' : `-${style}`}.ttf`);
}

/**
 * A text as the value of a filter's option inside the description of a graph: once for the option, and once more for the
 * graph. Without it, a text could end its option and go on as a filter of its own, and would lose the spaces around it.
 */
export function optionValue(text: string): string {
  const option = text.replace(/[\\':]|^\s|\s$/g, String.raw`\$&`);
  return option.replace(/[\\'[\],;]/g, String.raw`\$&`);
}
