/** One line of an access log (S3 user guide, "Amazon S3 server access log format"); what is `undefined` is `-`. */
export interface LogLine {
  readonly ownerId: string;
  readonly bucket: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly sourceIp: string;
  /** An ARN, or a canonical id. */
  readonly requester: string | undefined;
  readonly requestId: string;
  /** Such as `REST.GET.OBJECT`. */
  readonly operation: string;
  readonly key?: string | undefined;
  /** Method, target and version, as they were received. */
  readonly request?: { readonly method: string; readonly target: string; readonly httpVersion: string };
  readonly status?: number;
  readonly errorCode?: string | undefined;
  readonly bytesSent?: number;
  readonly objectSize?: number | undefined;
  /** Milliseconds. */
  readonly totalTime?: number;
  /** Milliseconds. */
  readonly turnAroundTime?: number | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly versionId?: string | undefined;
  readonly signature?:
    | { readonly version: 'SigV4' | 'SigV2'; readonly place: 'AuthHeader' | 'QueryString' }
    | undefined;
  readonly host?: string;
}

const LONGEST_TEXT = 8192;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Query parameters that let whoever reads them do what the requester may, or hold a customer's key. */
const SECRETS =
  /^(x-amz-signature|signature|x-amz-security-token|x-amz-(copy-source-)?server-side-encryption-customer-key)$/;

/** INVARIANT: whatever a client sends, it is one line, and its fields are where they belong. */
export function writeLogLine(line: LogLine): string {
  const { request, signature } = line;
  const uri = request && `${request.method} ${withoutSecrets(request.target)} HTTP/${request.httpVersion}`;
  return [
    bare(line.ownerId),
    bare(line.bucket),
    `[${timeText(line.time)}]`,
    bare(line.sourceIp),
    bare(line.requester),
    bare(line.requestId),
    bare(line.operation),
    line.key === undefined || line.key === '' ? '-' : encodedKey(line.key),
    quoted(uri),
    number(line.status),
    bare(line.errorCode),
    line.bytesSent === 0 ? '-' : number(line.bytesSent),
    number(line.objectSize),
    number(line.totalTime),
    number(line.turnAroundTime),
    quoted(line.referer === undefined ? undefined : withoutSecrets(line.referer)),
    quoted(line.userAgent),
    bare(line.versionId),
    // The host's id: there is none.
    '-',
    bare(signature?.version),
    // The cipher suite: TLS ends before us.
    '-',
    bare(signature?.place),
    bare(line.host),
    // The version of TLS, the access point, and whether an ACL was needed.
    '-',
    '-',
    '-',
  ].join(' ');
}

function bare(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : text.slice(0, LONGEST_TEXT).replace(/[^!#-~]/gu, encoded);
}

function quoted(text: string | undefined): string {
  if (text === undefined || text === '') return '"-"';
  return `"${text.slice(0, LONGEST_TEXT).replace(/[^ !#-~]/gu, encoded)}"`;
}

/** Its bytes in UTF-8, as in an address. */
function encoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function encodedKey(key: string): string {
  return key.replace(/[^A-Za-z0-9/._~-]/gu, encoded);
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** `06/Feb/2019:00:00:38 +0000` */
function timeText(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** An address with the values taken out that must not be read by others. */
function withoutSecrets(address: string): string {
  const question = address.indexOf('?');
  if (question < 0) return address;
  const parameters = address.slice(question + 1).split(/([&;#])/);
  const shown = parameters.map((parameter) => {
    const equals = parameter.indexOf('=');
    if (equals < 0) return parameter;
    return SECRETS.test(decoded(parameter.slice(0, equals)).toLowerCase())
      ? `${parameter.slice(0, equals)}=REDACTED`
      : parameter;
  });
  return `${address.slice(0, question)}?${shown.join('')}`;
}

function decoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
