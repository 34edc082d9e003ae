import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createStream } from '../harness/archived-video.ts';
import { endOfFragment } from '../harness/matroska-builder.ts';
import { MediaProducer } from '../harness/media-producer.ts';
import { blindCluster, blindHeader, fetchText, MediaSessions, trackPlaylist } from '../harness/media-sessions.ts';

describe('the first fragment of a camera', () => {
  let sessions: MediaSessions;

  before(async () => {
    sessions = await MediaSessions.start();
  });
  after(() => sessions.stop());

  it('is in a live playlist as soon as it is acknowledged as PERSISTED, before any other came', async () => {
    const { platform } = sessions;
    await createStream(platform, 'door');
    const { credentials } = platform.clientConfig();
    const producer = await MediaProducer.open({ endpoint: platform.endpoint, credentials, stream: 'door' });
    try {
      producer.send(Buffer.concat([blindHeader, blindCluster(Date.now()), endOfFragment()]));
      const { FragmentNumber } = await producer.ack('PERSISTED');
      const master = await sessions.hls({ StreamName: 'door' });
      const playlist = await fetchText(trackPlaylist(master));
      assert.ok(playlist.includes(`FragmentNumber=${FragmentNumber}&`), playlist);
    } finally {
      producer.destroy();
    }
  });
});
