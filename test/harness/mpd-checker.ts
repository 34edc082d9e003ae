/**
 * Checks an MPD (ISO 23009-1): every segment is an object, timelines have no holes, and all representations are as long as
 * the presentation.
 */

type Read = (key: string) => Promise<Buffer>;

interface MpdRepresentation {
  readonly id: string;
  readonly codecs: string;
  readonly kind: string;
  readonly seconds: number;
  /** Keys, the initialisation segment first. */
  readonly files: readonly string[];
}

export interface MpdReport {
  readonly faults: readonly string[];
  readonly representations: readonly MpdRepresentation[];
}

interface Template {
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeline: readonly { readonly start?: number; readonly ticks: number; readonly repeat: number }[];
}

/** What may be between the ends of sound and picture. */
const TOLERANCE_SECONDS = 0.1;

export async function checkMpd(read: Read, key: string): Promise<MpdReport> {
  const text = (await read(key)).toString();
  const faults: string[] = [];
  const representations: MpdRepresentation[] = [];
  const total = Number(/mediaPresentationDuration="PT([\d.]+)S"/.exec(text)?.[1]);
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const check = async (name: string): Promise<Buffer | undefined> => {
    try {
      return await read(folder + decodeURIComponent(name.replaceAll('&amp;', '&')));
    } catch {
      faults.push(`there is no ${name}`);
      return undefined;
    }
  };
  for (const [, head = '', body = ''] of text.matchAll(/<AdaptationSet ([^>]*)>(.*?)<\/AdaptationSet>/gs)) {
    const kind = attributesOf(head)['contentType'] ?? '';
    if (kind === 'text' || kind === 'image') continue;
    const before = body.slice(0, body.indexOf('<Representation'));
    const common = templateOf(before);
    for (const [, facts = '', inner = ''] of body.matchAll(/<Representation ([^>]*)>(.*?)<\/Representation>/gs)) {
      const { id = '', codecs = '', bandwidth = '0' } = attributesOf(facts);
      if (!(Number(bandwidth) > 0) || codecs === '') faults.push(`${id}: no bandwidth or codecs`);
      const own = templateOf(inner);
      const { seconds, files } =
        own === undefined && common === undefined
          ? await checkFile(inner, check, (fault) => faults.push(`${id}: ${fault}`))
          : await checkTemplate(common, own, total, { id, check, report: (fault) => faults.push(`${id}: ${fault}`) });
      if (Math.abs(seconds - total) > TOLERANCE_SECONDS) faults.push(`${id}: ${seconds} s of ${total}`);
      representations.push({ id, codecs, kind, seconds, files: files.map((file) => folder + file) });
    }
  }
  if (representations.length === 0) faults.push('no representations');
  return { faults, representations };
}

async function checkTemplate(
  common: Template | undefined,
  own: Template | undefined,
  total: number,
  facts: {
    readonly id: string;
    check(name: string): Promise<Buffer | undefined>;
    report(fault: string): void;
  },
): Promise<{ seconds: number; files: string[] }> {
  const attributes = { ...common?.attributes, ...own?.attributes };
  const timeline = own !== undefined && own.timeline.length > 0 ? own.timeline : (common?.timeline ?? []);
  const timescale = Number(attributes['timescale'] ?? 1);
  const number = Number(attributes['startNumber'] ?? 1);
  const init = attributes['initialization'] ?? '';
  const files = [filled(init, facts.id, 0, 0)];
  let time = 0;
  if (timeline.length > 0) {
    for (const { start, ticks, repeat } of timeline) {
      if (start !== undefined && start !== time) facts.report(`a hole at ${time}`);
      for (let count = 0; count <= repeat; count++) {
        files.push(filled(attributes['media'] ?? '', facts.id, number + files.length - 1, time));
        time += ticks;
      }
    }
  } else {
    const length = Number(attributes['duration']);
    const count = Math.ceil((total * timescale) / length - 1e-6);
    for (let index = 0; index < count; index++) {
      files.push(filled(attributes['media'] ?? '', facts.id, number + index, index * length));
    }
    time = total * timescale;
    const beyond = filled(attributes['media'] ?? '', facts.id, number + count, count * length);
    if (beyond === files.at(-1)) facts.report('all segments have one name');
  }
  for (const [index, file] of files.entries()) {
    const bytes = await facts.check(file);
    const type = bytes?.toString('latin1', 4, 8);
    if (type !== undefined && (index === 0 ? type !== 'ftyp' : !['styp', 'moof', 'emsg'].includes(type))) {
      facts.report(`${file} begins with ${type}`);
    }
  }
  return { seconds: time / timescale, files };
}

/** One file with an index (`sidx`), which tells the lengths. */
async function checkFile(
  inner: string,
  check: (name: string) => Promise<Buffer | undefined>,
  report: (fault: string) => void,
): Promise<{ seconds: number; files: string[] }> {
  const name = /<BaseURL>([^<]*)<\/BaseURL>/.exec(inner)?.[1] ?? '';
  const [, first = '0', last = '0'] = /indexRange="(\d+)-(\d+)"/.exec(inner) ?? [];
  const file = await check(name);
  if (file === undefined) return { seconds: 0, files: [name] };
  const index = file.subarray(Number(first), Number(last) + 1);
  if (index.toString('latin1', 4, 8) !== 'sidx' || index.readUInt32BE(0) !== index.length) report('no index');
  const timescale = index.readUInt32BE(16);
  const count = index.readUInt16BE(38);
  let at = Number(last) + 1;
  let ticks = 0;
  for (let entry = 0; entry < count; entry++) {
    if (file.toString('latin1', at + 4, at + 8) !== 'moof') report(`no fragment at ${at}`);
    at += index.readUInt32BE(40 + entry * 12) & 0x7fff_ffff;
    ticks += index.readUInt32BE(44 + entry * 12);
  }
  if (at !== file.length) report(`the index ends at ${at} of ${file.length}`);
  return { seconds: ticks / timescale, files: [name] };
}

function templateOf(text: string): Template | undefined {
  const [, attributes, body = ''] = /<SegmentTemplate ([^>]*?)(?:\/>|>(.*?)<\/SegmentTemplate>)/s.exec(text) ?? [];
  if (attributes === undefined) return undefined;
  const timeline = [...body.matchAll(/<S ([^>]*)\/>/g)].map(([, line = '']) => {
    const { t, d = '0', r = '0' } = attributesOf(line);
    return { ticks: Number(d), repeat: Number(r), ...(t !== undefined && { start: Number(t) }) };
  });
  return { attributes: attributesOf(attributes), timeline };
}

function filled(template: string, id: string, number: number, time: number): string {
  const values: Readonly<Record<string, string>> = { RepresentationID: id, Number: String(number), Time: String(time) };
  return template.replace(/\$(RepresentationID|Number|Time)?(?:%0(\d+)d)?\$/g, (_, name?: string, width?: string) =>
    name === undefined ? '$' : (values[name] ?? '').padStart(Number(width ?? 0), '0'),
  );
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}
