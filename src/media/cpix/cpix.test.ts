import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CpixError } from './cpix-error.ts';
import type { CpixRequest, CpixResponse, SpekeVersion, UsageRule } from './document.ts';
import { readRequest, readResponse } from './read-document.ts';
import { signalElementsOf } from './signal-elements.ts';
import { PLAYREADY, WIDEVINE } from './system-ids.ts';
import { writeRequest, writeResponse } from './write-document.ts';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => Buffer.from(raw));
const blob = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((raw) => Buffer.from(raw));
/** Text that XML 1.0 can carry as an attribute, with all that must be escaped. */
const words = fc
  .string({
    minLength: 1,
    maxLength: 30,
    unit: fc.constantFrom('a', 'Z', '0', ' ', '-', '&', '<', '>', '"', "'", 'é', '/', '😀'),
  })
  .map((text) => `x${text}x`);
const scheme = fc.constantFrom('cenc', 'cbcs', 'cens', 'cbc1');
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc
    .option(value, { nil: undefined })
    .map((found): Record<string, T> => (found === undefined ? {} : { [name]: found }));
const merged = (...parts: readonly fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all));

function ruleOf(kid: string): fc.Arbitrary<UsageRule> {
  const bound = fc.integer({ min: 0, max: 99_999_999 });
  const video = merged(optional('minPixels', bound), optional('maxPixels', bound), optional('hdr', fc.boolean()));
  const audio = merged(optional('minChannels', bound), optional('maxChannels', bound));
  return fc
    .tuple(fc.array(video, { maxLength: 3 }), fc.array(audio, { minLength: 1, maxLength: 3 }))
    .map(([videoFilters, audioFilters]) => {
      const count = videoFilters.length + audioFilters.length;
      const intendedTrackType = Array.from({ length: count }, (_, index) => `T${index}-${kid}`).join('+');
      return { kid, intendedTrackType, videoFilters, audioFilters };
    });
}

const plain = <T extends object>(model: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const kids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 5 });

function requests(version: SpekeVersion): fc.Arbitrary<CpixRequest> {
  const names = signalElementsOf(version).map(({ name }) => name);
  return fc.tuple(kids, scheme).chain(([ids, of]) =>
    plain({
      version: fc.constant(version),
      contentId: words,
      keys: fc.tuple(
        ...ids.map((kid) =>
          optional('explicitIv', bytes(16)).map((iv) => ({ kid, ...iv, ...(version === '2.0' && { scheme: of }) })),
        ),
      ),
      systems: fc.tuple(
        ...ids.map((kid) => plain({ kid: fc.constant(kid), systemId: fc.uuid(), wanted: fc.subarray(names) })),
      ),
      rules: version === '2.0' ? fc.tuple(...ids.map(ruleOf)) : fc.constant([]),
      certificates: fc.array(blob, { maxLength: 2 }),
    }),
  );
}

function responses(version: SpekeVersion): fc.Arbitrary<CpixResponse> {
  return requests(version).chain(({ keys, systems, ...rest }) =>
    plain({
      version: fc.constant(rest.version),
      contentId: fc.constant(rest.contentId),
      rules: fc.constant(rest.rules),
      keys: fc.tuple(...keys.map((key) => bytes(16).map((value) => ({ ...key, value })))),
      systems: fc.tuple(
        ...systems.map(({ kid, systemId, wanted }) =>
          merged(
            ...signalElementsOf(version)
              .filter(({ name }) => wanted.includes(name))
              .map(({ name, isText }) => (isText ? words : blob).map((value) => ({ [name]: value }))),
          ).map((signals) => ({ kid, systemId, signals })),
        ),
      ),
    }),
  );
}

for (const version of ['1.0', '2.0'] as const) {
  describe(`CPIX documents of SPEKE ${version}`, () => {
    it('are read as they were written, requests', () => {
      fc.assert(
        fc.property(requests(version), (request) => {
          assert.deepEqual(readRequest(Buffer.from(writeRequest(request)), version), request);
        }),
      );
    });

    it('are read as they were written, answers', () => {
      fc.assert(
        fc.property(responses(version), (response) => {
          assert.deepEqual(readResponse(Buffer.from(writeResponse(response)), version), response);
        }),
      );
    });

    it('are refused, or read, whatever bytes come: nothing else is thrown', () => {
      const written = fc.oneof(requests(version).map(writeRequest), responses(version).map(writeResponse));
      const broken = fc
        .tuple(written, fc.nat(), fc.string({ maxLength: 6 }))
        .map(([text, at, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + 3));
      fc.assert(
        fc.property(broken, (text) => {
          for (const read of [readRequest, readResponse]) {
            try {
              read(Buffer.from(text), version);
            } catch (error) {
              assert.ok(error instanceof CpixError, String(error));
            }
          }
        }),
      );
    });
  });
}

const KID = '98ee5596-cd3e-a20d-163a-e382420c6eff';

function v2(keys: string, rest = ''): Buffer {
  const rules = `<cpix:ContentKeyUsageRuleList><cpix:ContentKeyUsageRule kid="${KID}" intendedTrackType="ALL"><cpix:VideoFilter/><cpix:AudioFilter/></cpix:ContentKeyUsageRule></cpix:ContentKeyUsageRuleList>`;
  return Buffer.from(
    `<cpix:CPIX xmlns:cpix="urn:dashif:org:cpix" contentId="c" version="2.3"><cpix:ContentKeyList>${keys}</cpix:ContentKeyList>${rest}${rules}</cpix:CPIX>`,
  );
}

const key = (attributes: string) => `<cpix:ContentKey ${attributes}/>`;
const good = key(`kid="${KID}" commonEncryptionScheme="cbcs"`);

describe('a CPIX request', () => {
  const refusals: readonly (readonly [string, Buffer, RegExp])[] = [
    ['without a content id', Buffer.from('<CPIX version="2.3"/>'), /^Missing CPIX@contentId$/],
    ['without a version', Buffer.from('<CPIX contentId="a"/>'), /^Missing CPIX@version$/],
    ['of another version', Buffer.from('<CPIX contentId="a" version="9"/>'), /^Unsupported CPIX@version$/],
    [
      'without a scheme',
      v2(key(`kid="${KID}"`)),
      new RegExp(`^Missing ContentKey@commonEncryptionScheme for KID ${KID}$`),
    ],
    [
      'with two schemes',
      v2(good + key(`kid="${randomUUID()}" commonEncryptionScheme="cenc"`)),
      /^Non compliant ContentKey@commonEncryptionScheme combination$/,
    ],
    ['with one key twice', v2(good + good), /one kid/],
    ['with a kid that is none', v2(key('kid="1" commonEncryptionScheme="cenc"')), /no UUID/],
    ['with too many keys', v2(good.repeat(10_000)), /more than 64/],
    ['that asks for periods', v2(good, '<cpix:ContentKeyPeriodList/>'), /^Key rotation is not supported$/],
    ['with something else in it', v2(good, '<cpix:Wish/>'), /^Unsupported element CPIX\/Wish$/],
    [
      'with a signal that v2 does not have',
      v2(
        good,
        `<DRMSystemList><DRMSystem kid="${KID}" systemId="${PLAYREADY}"><KeyFormat/></DRMSystem></DRMSystemList>`,
      ),
      /^Unsupported element DRMSystem\/KeyFormat$/,
    ],
    [
      'with a system of no key',
      v2(good, `<DRMSystemList><DRMSystem kid="${randomUUID()}" systemId="${WIDEVINE}"/></DRMSystemList>`),
      /kid of no ContentKey/,
    ],
    ['with a document type', Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><CPIX contentId="&b;"/>'), /document type/],
    ['with an entity', Buffer.from('<CPIX contentId="&b;" version="2.3"/>'), /entity/],
    ['that is nested deeply', Buffer.from('<CPIX>'.repeat(5000) + '</CPIX>'.repeat(5000)), /well-formed/],
    ['of two megabytes', Buffer.alloc(2 << 20, 0x20), /too long/],
    ['that is no XML', Buffer.from('{"a":1}'), /XML/],
  ];
  for (const [what, document, message] of refusals) {
    it(`is refused ${what}`, () => {
      assert.throws(
        () => readRequest(document, '2.0'),
        (error) => error instanceof CpixError && message.test(error.message),
      );
    });
  }

  it('is refused in SPEKE’s words when its contract does not hold', () => {
    const rule = (type: string, filters: string) =>
      Buffer.from(
        `<CPIX contentId="c" version="2.3"><ContentKeyList>${good}</ContentKeyList><ContentKeyUsageRuleList><ContentKeyUsageRule kid="${KID}" intendedTrackType="${type}">${filters}</ContentKeyUsageRule></ContentKeyUsageRuleList></CPIX>`,
      );
    const messageOf = (document: Buffer) => {
      try {
        readRequest(document, '2.0');
        return 'taken';
      } catch (error) {
        return error instanceof CpixError ? error.message : String(error);
      }
    };
    assert.equal(messageOf(rule('ALL', '<VideoFilter/><AudioFilter/>')), 'taken');
    assert.equal(messageOf(rule('SD+HD', '<VideoFilter maxPixels="5"/><VideoFilter minPixels="6"/>')), 'taken');
    assert.equal(messageOf(rule('ALL', '<VideoFilter/>')), 'Malformed encryption contract');
    assert.equal(messageOf(rule('SD+HD', '<VideoFilter/>')), 'Malformed encryption contract');
    assert.equal(messageOf(rule('VIDEO', '<VideoFilter wcg="true"/>')), 'Malformed encryption contract');
    assert.equal(messageOf(rule('VIDEO', '<BitrateFilter/>')), 'Malformed encryption contract');
    assert.equal(messageOf(rule('VIDEO', '')), 'Missing CPIX encryption contract');
  });
});

describe('a CPIX answer', () => {
  const answer = (secret: string) =>
    Buffer.from(
      `<CPIX id="c"><ContentKeyList><ContentKey kid="${KID}"><Data><pskc:Secret xmlns:pskc="p">${secret}</pskc:Secret></Data></ContentKey></ContentKeyList><Other/></CPIX>`,
    );

  it('may have more in it than SPEKE', () => {
    const read = readResponse(answer('<pskc:PlainValue>\n AAAAAAAAAAAAAAAAAAAAAA== </pskc:PlainValue>'), '1.0');
    assert.deepEqual(read.keys, [{ kid: KID, value: Buffer.alloc(16) }]);
  });

  it('is refused where its keys are encrypted, absent or of another length, and its errors do not tell them', () => {
    assert.throws(
      () => readResponse(answer('<pskc:EncryptedValue/>'), '1.0'),
      /^CpixError: A ContentKey is encrypted$/,
    );
    assert.throws(() => readResponse(answer(''), '1.0'), /^CpixError: A ContentKey has no value$/);
    const isSilent = (error: unknown) => error instanceof CpixError && !error.message.includes('c2VjcmV0');
    assert.throws(() => readResponse(answer('<PlainValue>c2VjcmV0</PlainValue>'), '1.0'), isSilent);
    assert.throws(() => readResponse(answer('<PlainValue>c2VjcmV0!</PlainValue>'), '1.0'), isSilent);
  });
});
