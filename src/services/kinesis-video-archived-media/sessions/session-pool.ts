import type { Authority } from '#kernel/door.ts';
import type { ManifestTrack } from '#media/packaging/manifests/session-media.ts';
import type { KinesisVideoApi, StreamRecord } from '#services/kinesis-video/api.ts';
import { ConsumerReader } from '../domain/consumer-reader.ts';
import { SessionTimeline } from './session-timeline.ts';
import type { StreamingSession } from './streaming-session.ts';

const MAX_SESSIONS = 1000;
/** A session that nobody asked about for so long gives its keys back. */
const IDLE_MS = 30_000;

/** What is held of a session while players ask for it: nothing that could not be had anew from its token. */
export interface OpenSession {
  readonly session: StreamingSession;
  readonly stream: StreamRecord;
  readonly timeline: SessionTimeline;
  readonly reader: ConsumerReader;
  /** How manifests describe the tracks of each of the session's configurations. */
  readonly descriptions: Map<number, readonly ManifestTrack[]>;
}

interface Entry {
  readonly open: OpenSession;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** Keeps sessions open between the requests of their players. */
export class SessionPool {
  readonly #video: KinesisVideoApi;
  readonly #entries = new Map<string, Entry>();

  constructor(video: KinesisVideoApi) {
    this.#video = video;
  }

  /**
   * Does something with a session, which stays open that long.
   *
   * @param token by which the session is known
   * @param authority of the session's own caller
   */
  async use<Result>(
    token: string,
    session: StreamingSession,
    stream: StreamRecord,
    authority: Authority,
    work: (open: OpenSession) => Promise<Result>,
  ): Promise<Result> {
    const known = this.#entries.get(token);
    // What a stream keeps decides what the session sees.
    const isCurrent = known?.open.stream.retentionHours === stream.retentionHours;
    const entry = known !== undefined && isCurrent ? known : this.#add(token, session, stream, authority);
    clearTimeout(entry.idle);
    entry.users += 1;
    // The map's order is that of use.
    this.#entries.delete(token);
    this.#entries.set(token, entry);
    try {
      return await work(entry.open);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) entry.idle = setTimeout(() => this.#close(token, entry), IDLE_MS).unref();
    }
  }

  #add(token: string, session: StreamingSession, stream: StreamRecord, authority: Authority): Entry {
    this.#makeRoom();
    const { archive } = this.#video;
    const reader = new ConsumerReader(archive.reader(stream, authority));
    const timeline = new SessionTimeline(session, stream, archive, reader);
    const entry: Entry = {
      open: { session, stream, timeline, reader, descriptions: new Map() },
      users: 0,
      idle: undefined,
    };
    this.#entries.set(token, entry);
    return entry;
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_SESSIONS) return;
    for (const [token, entry] of this.#entries) {
      if (entry.users > 0) continue;
      this.#close(token, entry);
      return;
    }
  }

  #close(token: string, entry: Entry): void {
    clearTimeout(entry.idle);
    if (this.#entries.get(token) === entry) this.#entries.delete(token);
    entry.open.reader.close();
  }
}
