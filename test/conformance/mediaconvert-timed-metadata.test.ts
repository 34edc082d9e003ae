import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type JobSettings, type Output, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { payloadOffset, TS_PACKET_BYTES } from '#media/transport-stream/ts-packet.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf } from '#test/harness/media-job.ts';

let account: MediaAccount;

/** An ID3 tag of one frame of text. */
function textTag(words: string): Buffer {
  const body = Buffer.concat([Buffer.of(3), Buffer.from(`${words}\0`)]);
  const frame = Buffer.concat([Buffer.from('TIT2'), Buffer.of(0, 0, 0, body.length, 0, 0), body]);
  return Buffer.concat([Buffer.from('ID3'), Buffer.of(4, 0, 0, 0, 0, 0, frame.length), frame]);
}

const FIRST = textTag('the first of two');
const SECOND = textTag('the second');
/** At 30 pictures a second: one and a half, and three and a tenth. */
const INSERTIONS = [
  { Timecode: '01:00:03:03', Id3: SECOND.toString('base64') },
  { Timecode: '01:00:01:15', Id3: FIRST.toString('base64') },
  { Timecode: '00:59:59:00', Id3: textTag('before the beginning').toString('base64') },
];

before(async () => {
  account = await MediaAccount.start(4);
});

after(() => account.stop());

async function run(group: OutputGroup): Promise<void> {
  const request = jobOf(account.role, account.source, [group]);
  const Settings: JobSettings = {
    ...request.Settings,
    TimecodeConfig: { Source: 'SPECIFIEDSTART', Start: '01:00:00:00', TimestampOffset: '2026-03-01' },
    TimedMetadataInsertion: { Id3Insertions: INSERTIONS },
  };
  const { Job } = await account.media.send(new CreateJobCommand({ ...request, Settings }));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

function withContainers(group: OutputGroup, ContainerSettings: NonNullable<Output['ContainerSettings']>): OutputGroup {
  return { ...group, Outputs: (group.Outputs ?? []).map((output) => ({ ...output, ContainerSettings })) };
}

interface Tag {
  readonly seconds: number;
  readonly bytes: Buffer;
}

/** The tags of a transport stream, each in a packet of its own; ffprobe names their stream and their times. */
function tagsIn(segment: Buffer): { readonly pid: string; readonly tags: readonly Tag[] } {
  const wanted = ['-select_streams', 'd', '-show_streams', '-show_packets', '-of', 'json'];
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', ...wanted, 'pipe:0'], { input: segment });
  const { streams, packets } = JSON.parse(stdout.toString()) as {
    streams: { id: string; codec_name: string }[];
    packets: { pts_time: string }[];
  };
  const [stream] = streams;
  assert.equal(stream?.codec_name, 'timed_id3');
  const payloads: Buffer[] = [];
  for (let at = 0; at + TS_PACKET_BYTES <= segment.length; at += TS_PACKET_BYTES) {
    if ((segment.readUInt16BE(at + 1) & 0x1fff) !== Number(stream.id)) continue;
    const pes = segment.subarray(at + payloadOffset(segment, at), at + TS_PACKET_BYTES);
    payloads.push(pes.subarray(9 + (pes[8] ?? 0), 6 + pes.readUInt16BE(4)));
  }
  const tags = packets.map(({ pts_time }, index) => ({
    seconds: Number(pts_time),
    bytes: payloads[index] ?? Buffer.alloc(0),
  }));
  return { pid: stream.id, tags };
}

/** The event messages of a segment, each with what stands in it; version 1 of the box alone has its time in front. */
function messagesIn(
  segment: Buffer,
): { readonly isBeforeMovie: boolean; readonly version: number; readonly body: Buffer }[] {
  const found = [];
  let isBeforeMovie = true;
  for (let at = 0; at < segment.length; at += segment.readUInt32BE(at)) {
    const type = segment.toString('latin1', at + 4, at + 8);
    if (type === 'moof') isBeforeMovie = false;
    if (type !== 'emsg') continue;
    const body = segment.subarray(at + 12, at + segment.readUInt32BE(at));
    found.push({ isBeforeMovie, version: segment[at + 8] ?? 9, body });
  }
  return found;
}

describe('timed metadata', { skip: withoutFfmpeg }, () => {
  test('HLS segments have the tags of their time in a stream of their own', async () => {
    const M3u8Settings = { TimedMetadata: 'PASSTHROUGH', TimedMetadataPid: 600 } as const;
    await run(withContainers(hlsLadder({ destination: 's3://outputs/hls/film' }), { Container: 'M3U8', M3u8Settings }));
    const { faults } = await validateHls((key) => account.download(key), 'hls/film.m3u8');
    assert.deepEqual(faults, []);
    const [one, two] = await Promise.all([1, 2].map((number) => account.download(`hls/film_180_0000${number}.ts`)));
    assert.ok(one !== undefined && two !== undefined);
    assert.deepEqual(tagsIn(one), { pid: '0x258', tags: [{ seconds: 3.5, bytes: FIRST }] });
    const [second] = tagsIn(two).tags;
    assert.ok(Math.abs((second?.seconds ?? 0) - 5.1) < 0.001, `${second?.seconds}`);
    assert.deepEqual(second?.bytes, SECOND);
  });

  test('tags tell the clock or the date at an interval', async () => {
    const container = { Container: 'M3U8', M3u8Settings: { TimedMetadata: 'PASSTHROUGH' } } as const;
    for (const [TimedMetadataId3Frame, words] of [
      ['PRIV', 'com.apple.streaming.transportStreamTimestamp'],
      ['TDRL', '2026-03-01T01:00:02'],
    ] as const) {
      const ladder = withContainers(
        hlsLadder({ destination: `s3://outputs/${TimedMetadataId3Frame}/film` }),
        container,
      );
      const { HlsGroupSettings } = ladder.OutputGroupSettings ?? {};
      Object.assign(HlsGroupSettings ?? {}, { TimedMetadataId3Frame, TimedMetadataId3Period: 1 });
      await run(ladder);
      const { pid, tags } = tagsIn(await account.download(`${TimedMetadataId3Frame}/film_90_00002.ts`));
      assert.equal(pid, '0x1f6');
      assert.deepEqual(
        tags.map(({ seconds }) => Math.round(seconds * 10) / 10),
        [4, 5, 5.1],
      );
      const [tag] = tags;
      assert.ok(tag?.bytes.includes(words) === true);
      if (TimedMetadataId3Frame === 'PRIV') assert.equal(tag.bytes.readBigUInt64BE(tag.bytes.length - 8), 360_000n);
    }
  });

  test('CMAF segments have them as event messages, counted from the segment', async () => {
    const CmfcSettings = { TimedMetadata: 'PASSTHROUGH', ManifestMetadataSignaling: 'ENABLED' } as const;
    await run(
      withContainers(cmafGroup({ destination: 's3://outputs/cmaf/film' }), { Container: 'CMFC', CmfcSettings }),
    );
    const [message, ...others] = messagesIn(await account.download('cmaf/film_180_000000002.cmfv'));
    assert.equal(others.length, 0);
    assert.deepEqual([message?.isBeforeMovie, message?.version], [true, 0]);
    const body = message?.body ?? Buffer.alloc(0);
    const scheme = 'https://aomedia.org/emsg/ID3\0\0';
    assert.equal(body.toString('latin1', 0, scheme.length), scheme);
    const [timescale, delta] = [body.readUInt32BE(scheme.length), body.readUInt32BE(scheme.length + 4)];
    assert.ok(Math.abs(delta / timescale - 1.1) < 0.001, `${delta}/${timescale}`);
    assert.deepEqual(body.subarray(scheme.length + 16), SECOND);
    const sound = messagesIn(await account.download('cmaf/film_sound_000000001.cmfa'));
    assert.deepEqual(sound[0]?.body.subarray(scheme.length + 16), FIRST);
    const manifest = (await account.download('cmaf/film.mpd')).toString();
    assert.equal(manifest.match(/<InbandEventStream schemeIdUri="https:\/\/aomedia.org\/emsg\/ID3"\/>/g)?.length, 2);
    const { faults } = await validateHls((key) => account.download(key), 'cmaf/film.m3u8');
    assert.deepEqual(faults, []);
  });

  test('DASH’s may be of version 1, with a scheme and a value of their own', async () => {
    const MpdSettings = {
      TimedMetadata: 'PASSTHROUGH',
      TimedMetadataBoxVersion: 'VERSION_1',
      TimedMetadataSchemeIdUri: 'urn:tags',
      TimedMetadataValue: '7',
    } as const;
    await run(withContainers(dashGroup({ destination: 's3://outputs/dash/film' }), { Container: 'MPD', MpdSettings }));
    const messages = messagesIn(await account.download('dash/film_90.mp4'));
    assert.deepEqual(
      messages.map(({ version, body }) => [version, Number(body.readBigUInt64BE(4)) / body.readUInt32BE(0)]),
      [
        [1, 1.5],
        [1, 3.1],
      ],
    );
    assert.equal(messages[0]?.body.toString('latin1', 20, 31), 'urn:tags\x007\x00');
    const { stdout } = spawnSync(
      'ffprobe',
      ['-v', 'error', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', 'pipe:0'],
      {
        input: await account.download('dash/film_90.mp4'),
      },
    );
    assert.equal(stdout.toString().trim(), '120', 'every picture is found behind the index');
  });

  test('what has no place for tags refuses them', async () => {
    const group = hlsLadder({ destination: 's3://outputs/no/film' });
    const M3u8Settings = { TimedMetadata: 'PASSTHROUGH' } as const;
    const sound = { AudioDescriptions: group.Outputs?.[0]?.AudioDescriptions ?? [] };
    const packed = {
      ...sound,
      NameModifier: '_sound',
      ContainerSettings: { Container: 'M3U8', M3u8Settings },
    } as const;
    await assert.rejects(
      run({ ...group, Outputs: [packed] }),
      /\/outputGroups\/0\/outputs\/0\/containerSettings\/m3u8Settings\/timedMetadata: PASSTHROUGH of sound alone needs/,
    );
    const CmfcSettings = { TimedMetadataValue: 'x' } as const;
    await assert.rejects(
      run(withContainers(cmafGroup({ destination: 's3://outputs/no/film' }), { Container: 'CMFC', CmfcSettings })),
      /\/cmfcSettings\/timedMetadataValue: Needs timedMetadata PASSTHROUGH/,
    );
  });
});
