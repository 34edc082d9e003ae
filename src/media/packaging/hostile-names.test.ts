import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { languageTag } from '../ffmpeg/language-tag.ts';
import { relativeAddress } from './relative-address.ts';
import { clientManifest, serverManifest, type SmoothTrack } from './smooth-manifests.ts';

describe('what a manifest says', () => {
  test('of a language that an input made up ends no element', () => {
    const language = '"/><x y="';
    const sound = { sampleRate: 48_000, channels: 2, language };
    const track: SmoothTrack = {
      file: 'a.ismv',
      id: 1,
      bitrate: 96_000,
      fourCc: 'AACL',
      codecPrivateData: '1190',
      fragments: [{ start: 0, ticks: 10_000_000 }] as unknown as SmoothTrack['fragments'],
      sound,
    };
    assert.doesNotMatch(serverManifest([track], 'a.ismc', 'utf-8'), /<x/);
    assert.doesNotMatch(clientManifest([track], 1, 'utf-8'), /<x/);
    assert.equal(languageTag(language), undefined);
    assert.deepEqual(['fra', 'pt-BR', 'und', 'x\n#', undefined].map(languageTag), [
      'fra',
      'pt-BR',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('of a file whose name has a colon is no address of another scheme', () => {
    const address = relativeAddress('film:part 1?#_v.m3u8');
    assert.equal(address, 'film%3Apart%201%3F%23_v.m3u8');
    assert.equal(new URL(address, 'https://host/x/m.m3u8').pathname, '/x/film%3Apart%201%3F%23_v.m3u8');
  });
});
