import { basicCharacter, CEA608_COLORS, extendedCharacter, rowOf, specialCharacter } from './cea608-characters.ts';
import { Cea608Screen, COLUMN_COUNT } from './cea608-screen.ts';
import { type Cue, MOST_CUES, styleOf, type TextStyle } from './cue.ts';

type Mode = 'pop-on' | 'paint-on' | 'roll-up' | 'text' | 'none';

export interface Cea608Options {
  /** 1 to 4: CC1 and CC2 are in the first field, CC3 and CC4 in the second. */
  readonly channel: number;
  /** True shows what is painted letter by letter as a whole, from its beginning. */
  readonly isPaintConverted?: boolean;
}

/**
 * Decodes one channel of line 21 captions (CEA-608) from pairs of bytes. A caption ends when what is on the screen
 * changes.
 */
export class Cea608Decoder {
  readonly #options: Cea608Options;
  readonly #onCue: (cue: Cue) => void;
  #shown = new Cea608Screen();
  #hidden = new Cea608Screen();
  #mode: Mode = 'none';
  #rollRows = 2;
  #row = 15;
  #column = 0;
  #style: TextStyle = {};
  /** When what is shown came up. */
  #since = 0;
  /** Whether the last control code of the field was for this channel. */
  #isOurs = false;
  #isExtendedService = false;
  #lastControl = -1;
  #count = 0;

  constructor(options: Cea608Options, onCue: (cue: Cue) => void) {
    this.#options = options;
    this.#onCue = onCue;
  }

  /** Which field of a picture has this channel: 1 or 2. */
  get field(): 1 | 2 {
    return this.#options.channel <= 2 ? 1 : 2;
  }

  /** What is on the screen and not over yet. */
  open(nowMs: number): Cue | undefined {
    return this.#shown.cue(this.#since, Math.max(nowMs, this.#since) + 1);
  }

  /**
   * Takes the next two bytes of the field, with or without parity.
   *
   * @param ms when they are seen
   */
  take(byte1: number, byte2: number, ms: number): void {
    const first = byte1 & 0x7f;
    const second = byte2 & 0x7f;
    if (first >= 0x10 && first < 0x20) {
      const control = (first << 8) | second;
      // Each control code is sent twice, as it may be lost.
      if (control === this.#lastControl) {
        this.#lastControl = -1;
        return;
      }
      this.#lastControl = control;
      this.#isExtendedService = false;
      this.#isOurs = ((first & 0x08) === 0) === (this.#options.channel % 2 === 1);
      if (this.#isOurs) this.#control(first & 0x17, second, ms);
      return;
    }
    this.#lastControl = -1;
    if (first > 0 && first < 0x10) {
      // The second field may carry other data (XDS) until a code ends them.
      this.#isExtendedService = first !== 0x0f;
      return;
    }
    if (!this.#isOurs || this.#isExtendedService) return;
    for (const code of [first, second]) if (code >= 0x20) this.#write(basicCharacter(code), ms);
  }

  /** Ends what is still on the screen. */
  finish(ms: number): void {
    this.#flush(ms);
    this.#shown.clear();
  }

  #control(first: number, second: number, ms: number): void {
    if (second >= 0x40) this.#address(first, second, ms);
    else if (first === 0x11 && second >= 0x30) this.#writeSpecial(specialCharacter(second), ms);
    else if (first === 0x11 && second >= 0x20) this.#midRow(second, ms);
    else if ((first === 0x12 || first === 0x13) && second >= 0x20) {
      this.#column = Math.max(0, this.#column - 1);
      this.#writeSpecial(extendedCharacter(first, second), ms);
    } else if ((first === 0x14 || first === 0x15) && second >= 0x20 && second < 0x30) this.#command(second, ms);
    else if (first === 0x17 && second >= 0x21 && second <= 0x23) {
      this.#column = Math.min(COLUMN_COUNT - 1, this.#column + second - 0x20);
    }
  }

  #command(second: number, ms: number): void {
    switch (second) {
      case 0x20:
        this.#mode = 'pop-on';
        return;
      case 0x21:
        this.#column = Math.max(0, this.#column - 1);
        this.#memory.erase(this.#row, this.#column, this.#column + 1);
        return;
      case 0x24:
        this.#memory.erase(this.#row, this.#column);
        return;
      case 0x25:
      case 0x26:
      case 0x27:
        this.#beginRollUp(second - 0x23, ms);
        return;
      case 0x29:
        if (this.#mode !== 'paint-on') this.#style = {};
        this.#mode = 'paint-on';
        return;
      case 0x2a:
      case 0x2b:
        this.#mode = 'text';
        return;
      case 0x2c:
        this.#flush(ms);
        this.#shown.clear();
        return;
      case 0x2d:
        this.#carriageReturn(ms);
        return;
      case 0x2e:
        this.#hidden.clear();
        return;
      case 0x2f:
        this.#flip(ms);
    }
  }

  #flip(ms: number): void {
    this.#flush(ms);
    [this.#shown, this.#hidden] = [this.#hidden, this.#shown];
    this.#since = ms;
    this.#mode = 'pop-on';
    this.#style = {};
  }

  #beginRollUp(rows: number, ms: number): void {
    if (this.#mode !== 'roll-up') {
      this.#flush(ms);
      this.#shown.clear();
      this.#hidden.clear();
      this.#row = 15;
      this.#column = 0;
      this.#style = {};
    }
    this.#mode = 'roll-up';
    this.#rollRows = rows;
  }

  #carriageReturn(ms: number): void {
    if (this.#mode !== 'roll-up') return;
    this.#flush(ms);
    this.#shown.rollUp(this.#row, this.#rollRows);
    this.#column = 0;
    this.#style = {};
    this.#since = ms;
  }

  /** A preamble: goes to a row and sets the indentation or the style. */
  #address(first: number, second: number, ms: number): void {
    const row = rowOf(first, second);
    if (this.#mode === 'roll-up' && row !== this.#row) {
      this.#flush(ms);
      this.#shown.moveWindow(this.#row, row, this.#rollRows);
    }
    if (this.#mode === 'paint-on' && this.#options.isPaintConverted !== true && row !== this.#row) this.#flush(ms);
    this.#row = row;
    const isUnderlined = (second & 1) === 1;
    const value = (second & 0x1e) >> 1;
    this.#column = value >= 8 ? (value - 8) * 4 : 0;
    this.#style = styled(value < 8 ? value : 0, isUnderlined);
  }

  /** Changes the style, and is a space on the screen. */
  #midRow(second: number, ms: number): void {
    const value = (second & 0x0e) >> 1;
    const isUnderlined = (second & 1) === 1;
    // Italics keep the colour.
    const color = this.#style.color;
    this.#write(' ', ms);
    this.#style = value === 7 ? styleOf({ isItalic: true, isUnderlined, color }) : styled(value, isUnderlined);
  }

  #writeSpecial(character: string | undefined, ms: number): void {
    if (character !== undefined) this.#write(character, ms);
  }

  #write(character: string, ms: number): void {
    if (this.#mode === 'none' || this.#mode === 'text') return;
    if (this.#memory === this.#shown && this.#shown.isEmpty) this.#since = ms;
    this.#memory.put(this.#row, this.#column, character, this.#style);
    this.#column = Math.min(COLUMN_COUNT - 1, this.#column + 1);
  }

  get #memory(): Cea608Screen {
    return this.#mode === 'pop-on' ? this.#hidden : this.#shown;
  }

  /** Tells what was shown until now. */
  #flush(ms: number): void {
    const cue = this.#shown.cue(this.#since, ms);
    this.#since = ms;
    if (cue === undefined || this.#count >= MOST_CUES) return;
    this.#count += 1;
    this.#onCue(cue);
  }
}

/** A colour from 0 to 6, or 7 for white italics. */
function styled(value: number, isUnderlined: boolean): TextStyle {
  const color = value > 0 && value < 7 ? CEA608_COLORS[value] : undefined;
  return styleOf({ isItalic: value === 7, isUnderlined, color });
}
