/** A JSON value that knows where in the text it stands, so that errors can say where they are. */
export type JsonNode =
  | (JsonPlace & { readonly type: 'string'; readonly value: string })
  | (JsonPlace & { readonly type: 'number'; readonly text: string })
  | (JsonPlace & { readonly type: 'boolean'; readonly value: boolean })
  | (JsonPlace & { readonly type: 'null' })
  | JsonArray
  | JsonObject;

/** Offsets in the text: of the first character, and of the one after the last. */
export interface JsonPlace {
  readonly at: number;
  readonly end: number;
}

interface JsonArray extends JsonPlace {
  readonly type: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonObject extends JsonPlace {
  readonly type: 'object';
  /** In the order of the text; names are unique. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly name: string;
  readonly value: JsonNode;
  /** Where the name stands. */
  readonly at: number;
  /** Where the name ends, quotes included. */
  readonly nameEnd: number;
}

/** Broken JSON: `at` is the offset in the text. */
export class JsonSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'JsonSyntaxError';
    this.at = at;
  }
}

/** Policies nest seven levels deep at most; more is an attack on the stack. */
const MAX_DEPTH = 24;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** JSON forbids raw control characters in strings. */
const PLAIN_TEXT = /[\u0020\u0021\u0023-\u005b\u005d-\uffff]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

export interface JsonTreeOptions {
  /** Told where a comma stands before a closing bracket, which is then passed over; without it, that is an error. */
  readonly onTrailingComma?: (at: number) => void;
}

/**
 * Reads strict JSON (RFC 8259). Duplicate names in one object are an error: which one would count is not defined, and
 * in a policy that would decide who gets in.
 * @throws JsonSyntaxError
 */
export function parseJsonTree(text: string, options: JsonTreeOptions = {}): JsonNode {
  const reader = new Reader(text, options);
  const value = reader.readValue(0);
  reader.expectEnd();
  return value;
}

class Reader {
  readonly #text: string;
  readonly #options: JsonTreeOptions;
  #position = 0;
  #commaAt = 0;

  constructor(text: string, options: JsonTreeOptions) {
    this.#text = text;
    this.#options = options;
  }

  readValue(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError('the document is nested too deeply', this.#position);
    this.#skipSpace();
    const at = this.#position;
    const character = this.#text[at];
    switch (character) {
      case undefined:
        throw new JsonSyntaxError('the document ends too early', at);
      case '{':
        return this.#readObject(depth);
      case '[':
        return this.#readArray(depth);
      case '"':
        return { type: 'string', value: this.#readString(), at, end: this.#position };
      default:
        return this.#readWord(at);
    }
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#position < this.#text.length) {
      throw new JsonSyntaxError('there is text after the end of the document', this.#position);
    }
  }

  #readWord(at: number): JsonNode {
    for (const [word, node] of WORDS) {
      if (this.#text.startsWith(word, at)) {
        this.#position += word.length;
        return { ...node, at, end: this.#position };
      }
    }
    NUMBER.lastIndex = at;
    const number = NUMBER.exec(this.#text);
    if (number === null) throw new JsonSyntaxError(`unexpected ${describe(this.#text[at])}`, at);
    this.#position += number[0].length;
    return { type: 'number', text: number[0], at, end: this.#position };
  }

  #readObject(depth: number): JsonObject {
    const at = this.#position++;
    const members: JsonMember[] = [];
    const names = new Set<string>();
    if (this.#takeAfterSpace('}')) return { type: 'object', members, at, end: this.#position };
    do {
      this.#skipSpace();
      const nameAt = this.#position;
      if (this.#text[nameAt] === '}') {
        this.#passTrailingComma('}');
        break;
      }
      if (this.#text[nameAt] !== '"') {
        throw new JsonSyntaxError(`expected a name in quotes, not ${describe(this.#text[nameAt])}`, nameAt);
      }
      const name = this.#readString();
      const nameEnd = this.#position;
      if (names.has(name)) throw new JsonSyntaxError(`'${name}' stands twice in one object`, nameAt);
      names.add(name);
      this.#skipSpace();
      if (this.#text[this.#position] !== ':') {
        throw new JsonSyntaxError(`expected ':', not ${describe(this.#text[this.#position])}`, this.#position);
      }
      this.#position++;
      members.push({ name, value: this.readValue(depth + 1), at: nameAt, nameEnd });
    } while (this.#takeAfterSpace(','));
    this.#expect('}');
    return { type: 'object', members, at, end: this.#position };
  }

  #readArray(depth: number): JsonArray {
    const at = this.#position++;
    const items: JsonNode[] = [];
    if (this.#takeAfterSpace(']')) return { type: 'array', items, at, end: this.#position };
    do {
      this.#skipSpace();
      if (this.#text[this.#position] === ']') {
        this.#passTrailingComma(']');
        break;
      }
      items.push(this.readValue(depth + 1));
    } while (this.#takeAfterSpace(','));
    this.#expect(']');
    return { type: 'array', items, at, end: this.#position };
  }

  #passTrailingComma(bracket: string): void {
    if (this.#options.onTrailingComma === undefined) {
      throw new JsonSyntaxError(`there is a comma before '${bracket}'`, this.#commaAt);
    }
    this.#options.onTrailingComma(this.#commaAt);
  }

  #readString(): string {
    const start = this.#position++;
    let result = '';
    for (;;) {
      PLAIN_TEXT.lastIndex = this.#position;
      const plain = PLAIN_TEXT.exec(this.#text)?.[0] ?? '';
      result += plain;
      this.#position += plain.length;
      const character = this.#text[this.#position];
      if (character === '"') {
        this.#position++;
        return result;
      }
      if (character === undefined) throw new JsonSyntaxError('a string does not end', start);
      if (character !== '\\') throw new JsonSyntaxError('a string holds a control character', this.#position);
      result += this.#readEscape();
    }
  }

  #readEscape(): string {
    const at = this.#position;
    const kind = this.#text[at + 1];
    if (kind === 'u') {
      const digits = this.#text.slice(at + 2, at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonSyntaxError('an escape is broken', at);
      this.#position += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = kind === undefined ? undefined : ESCAPES[kind];
    if (escaped === undefined) throw new JsonSyntaxError('an escape is broken', at);
    this.#position += 2;
    return escaped;
  }

  #takeAfterSpace(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#position] !== character) return false;
    this.#commaAt = this.#position++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takeAfterSpace(character)) {
      const found = describe(this.#text[this.#position]);
      throw new JsonSyntaxError(`expected ',' or '${character}', not ${found}`, this.#position);
    }
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position++;
    }
  }
}

const WORDS = [
  ['true', { type: 'boolean', value: true }],
  ['false', { type: 'boolean', value: false }],
  ['null', { type: 'null' }],
] as const;

function describe(character: string | undefined): string {
  return character === undefined ? 'the end of the document' : `'${character}'`;
}
