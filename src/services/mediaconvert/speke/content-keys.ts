import { createHash, randomBytes } from 'node:crypto';
import type { DashProtection, GroupKey, PlaylistKey, SmoothProtection } from '#media/content-encryption.ts';
import { CpixError } from '#media/cpix/cpix-error.ts';
import type {
  ContentKey,
  CpixRequest,
  CpixResponse,
  DrmSignals,
  SpekeVersion,
  UsageRule,
} from '#media/cpix/document.ts';
import { readResponse } from '#media/cpix/read-document.ts';
import { writeRequest } from '#media/cpix/write-document.ts';
import type { PresetKey } from '../domain/speke-presets.ts';
import { type KeyOrder, wantedSignals } from '../domain/key-orders.ts';
import { parsedDashContent } from './dash-content.ts';
import { spekeError } from './speke-error.ts';

/** Sends a CPIX document, and gives what comes back. */
export type AskProvider = (document: string, version: SpekeVersion) => Promise<Buffer>;

/**
 * Asks a key provider for the keys of one group.
 *
 * @throws TranscodeError 1091 when it refuses, or its answer is not such that players could play
 */
export async function orderKeys(order: KeyOrder, ask: AskProvider): Promise<GroupKey[]> {
  const request = requestOf(order);
  const body = await ask(writeRequest(request), order.version);
  try {
    const response = readResponse(body, order.version);
    checkAnswer(request, response);
    return order.keys.map((key, index) => groupKey(order, key, required(request.keys[index]), response));
  } catch (error) {
    if (!(error instanceof CpixError)) throw error;
    throw spekeError(order.url, `its answer cannot be used: ${error.message}`);
  } finally {
    body.fill(0);
  }
}

/** What is asked: an encryptor names the keys, and the same content has always the same ones. */
function requestOf(order: KeyOrder): CpixRequest {
  const { version, resourceId, scheme, keys } = order;
  const systemIds = [...new Set([...order.systems.hls, ...order.systems.dash, ...order.systems.smooth])];
  const named = keys.map((key) => ({ ...key, kid: keyIdOf(resourceId, key.intendedTrackType) }));
  return {
    version,
    contentId: resourceId,
    keys: named.map(({ kid }) => {
      const explicitIv = vectorOf(order);
      return { kid, ...(explicitIv !== undefined && { explicitIv }), ...(version === '2.0' && { scheme }) };
    }),
    systems: named.flatMap(({ kid }) =>
      systemIds.map((systemId) => ({ kid, systemId, wanted: wantedSignals(order, systemId) })),
    ),
    rules: version === '1.0' ? [] : named.map(ruleOf),
    certificates: [],
  };
}

/** With `cbcs` players may get the vector with the key, so that the provider has to know it. */
function vectorOf({ iv, method }: KeyOrder): Buffer | undefined {
  return iv ?? (method === 'SAMPLE-AES' ? randomBytes(16) : undefined);
}

/** A UUID (RFC 9562, version 8) of the content's name and of what the key is for. */
function keyIdOf(resourceId: string, intendedTrackType: string): string {
  const hash = createHash('sha256').update(`${resourceId}\n${intendedTrackType}`).digest().subarray(0, 16);
  hash[6] = (hash.readUInt8(6) & 0x0f) | 0x80;
  hash[8] = (hash.readUInt8(8) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function ruleOf({ kid, intendedTrackType, use }: PresetKey & { readonly kid: string }): UsageRule {
  const bounds = <Name extends string>({ from, to }: { from: number; to: number }, least: Name, most: Name) => ({
    ...(from > 0 && { [least]: from }),
    ...(to < Number.MAX_SAFE_INTEGER && { [most]: to }),
  });
  return {
    kid,
    intendedTrackType,
    videoFilters: use.pixels.map((range) => bounds(range, 'minPixels', 'maxPixels')),
    audioFilters: use.channels.map((range) => bounds(range, 'minChannels', 'maxChannels')),
  };
}

function checkAnswer(request: CpixRequest, response: CpixResponse): void {
  if (response.contentId !== request.contentId) throw new CpixError('It is about another content.');
  for (const { kid, scheme } of request.keys) {
    const found = response.keys.find((key) => key.kid === kid);
    if (found === undefined) throw new CpixError(`It has no ContentKey for ${kid}.`);
    if (found.scheme !== scheme) throw new CpixError(`It has another commonEncryptionScheme for ${kid}.`);
  }
}

function groupKey(
  order: KeyOrder,
  { use }: PresetKey,
  asked: CpixRequest['keys'][number],
  response: CpixResponse,
): GroupKey {
  const { kid } = asked;
  const answered = required(response.keys.find((key) => key.kid === kid));
  const signalsOf = (systemId: string): DrmSignals => {
    const system = response.systems.find((one) => one.kid === kid && one.systemId === systemId);
    if (system === undefined) throw new CpixError(`It has no DRMSystem ${systemId} for ${kid}.`);
    return system.signals;
  };
  const iv = order.method === 'SAMPLE-AES-CTR' ? undefined : explicitIv(answered, asked.explicitIv);
  const systemIds = [...new Set([...order.systems.hls, ...order.systems.dash, ...order.systems.smooth])];
  return {
    use,
    key: answered.value,
    keyId: Buffer.from(kid.replaceAll('-', ''), 'hex'),
    ...(iv !== undefined && { iv }),
    playlists: order.systems.hls.map((systemId) => playlistKey(systemId, signalsOf(systemId))),
    dash: order.systems.dash.map((systemId) => dashProtection(systemId, signalsOf(systemId))),
    smooth: order.systems.smooth.map((systemId) => smoothProtection(systemId, signalsOf(systemId))),
    psshs: systemIds.flatMap((systemId) => psshOf(systemId, signalsOf(systemId))),
  };
}

function explicitIv(answered: ContentKey, asked: Buffer | undefined): Buffer | undefined {
  const iv = answered.explicitIv ?? asked;
  if (iv !== undefined && iv.length !== 16) throw new CpixError('An explicitIV does not have 16 bytes.');
  return iv;
}

/** What HLS manifests say of a key: as the provider says it, and nothing else. */
function playlistKey(systemId: string, signals: DrmSignals): PlaylistKey {
  const { keyUri: uri, keyFormat, keyFormatVersions, hlsMedia, hlsMaster } = signals;
  if (hlsMedia !== undefined) {
    return { kind: 'lines', media: tags(hlsMedia, 'EXT-X-KEY'), session: tags(hlsMaster ?? '', 'EXT-X-SESSION-KEY') };
  }
  if (uri === undefined) throw new CpixError(`It says nothing to HLS players of system ${systemId}.`);
  for (const value of [uri, keyFormat ?? '', keyFormatVersions ?? '']) {
    if (/["\p{Cc}]/u.test(value)) throw new CpixError('What goes into HLS manifests has quotes or line ends in it.');
  }
  return {
    kind: 'address',
    uri,
    ...(keyFormat !== undefined && { keyFormat }),
    ...(keyFormatVersions !== undefined && { keyFormatVersions }),
  };
}

/** A provider writes whole tags; none but those that tell of keys. */
function tags(text: string, tag: string): string[] {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const line of lines) {
    if (!line.startsWith(`#${tag}:METHOD=`) || /\p{Cc}/u.test(line)) {
      throw new CpixError(`HLSSignalingData has something else than ${tag}.`);
    }
  }
  return lines;
}

function dashProtection(systemId: string, { contentProtection, pssh }: DrmSignals): DashProtection {
  if (contentProtection !== undefined) return { systemId, content: parsedDashContent(contentProtection) };
  if (pssh === undefined) throw new CpixError(`It says nothing to DASH players of system ${systemId}.`);
  const box = `<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">${pssh.toString('base64')}</cenc:pssh>`;
  return { systemId, content: box };
}

function smoothProtection(systemId: string, { protectionHeader }: DrmSignals): SmoothProtection {
  if (protectionHeader === undefined) throw new CpixError(`It says nothing to Smooth players of system ${systemId}.`);
  return { systemId, header: protectionHeader.toString('base64') };
}

/** A whole box of the very system, as it stands in initialization segments beside others. */
function psshOf(systemId: string, { pssh }: DrmSignals): Uint8Array[] {
  if (pssh === undefined) return [];
  const isWhole = pssh.length >= 32 && pssh.readUInt32BE(0) === pssh.length && pssh.toString('latin1', 4, 8) === 'pssh';
  if (!isWhole || pssh.toString('hex', 12, 28) !== systemId.replaceAll('-', '')) {
    throw new CpixError(`PSSH is no box of system ${systemId}.`);
  }
  return [pssh];
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('There is no such key.');
  return value;
}
