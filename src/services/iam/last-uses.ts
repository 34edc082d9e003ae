import type { AuditRecord, AuditSink } from '#kernel/audit.ts';
import type { Logger } from '#kernel/logger.ts';
import type { LastUseRecord } from './records/last-uses.ts';
import type { IamStore } from './store.ts';

const FLUSH_AFTER_MS = 60_000;
/** More than this many, and they are written at once: memory is bounded. */
const MAX_GATHERED = 10_000;
const ROWS_OF_ONE_QUERY = 200;
const SERVICE_SUFFIX = '.amazonaws.com';

/**
 * When access keys and roles were last used. It hears of every call whose signature was right, keeps the last one of each
 * in memory and writes them once a minute: a crash forgets a minute of it at most, and no call waits for it.
 */
export class LastUses implements AuditSink {
  readonly #store: IamStore;
  readonly #logger: Logger;
  #gathered = new Map<string, LastUseRecord>();
  /** Being written now. */
  #leaving = new Map<string, LastUseRecord>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: IamStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  append({ caller, via, eventSource, region, time }: AuditRecord): void {
    // What a service does in the caller's name is the service's use of its own.
    if (via.length > 0 || caller.type === 'anonymous' || caller.type === 'service') return;
    const subject = subjectOf(caller);
    if (subject === undefined) return;
    this.#gathered.set(subject, {
      subject,
      account: caller.accountId,
      service: serviceOf(eventSource),
      region,
      last_used_at: Math.floor(time / 1000) * 1000,
    });
    if (this.#gathered.size >= MAX_GATHERED) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** @param subject an access key's id, or a role's */
  async find(subject: string): Promise<LastUseRecord | undefined> {
    return (await this.findAll([subject])).get(subject);
  }

  /** Of those that were used. */
  async findAll(subjects: readonly string[]): Promise<ReadonlyMap<string, LastUseRecord>> {
    const found = new Map<string, LastUseRecord>();
    const unknown: string[] = [];
    for (const subject of subjects) {
      const recent = this.#gathered.get(subject) ?? this.#leaving.get(subject);
      if (recent === undefined) unknown.push(subject);
      else found.set(subject, recent);
    }
    for (const some of chunksOf(unknown)) {
      const rows = await this.#store.read.selectFrom('iam_last_use').selectAll().where('subject', 'in', some).execute();
      for (const row of rows) found.set(row.subject, row);
    }
    return found;
  }

  /** Resolves when all that was gathered before is written, or could not be (which is logged). */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#gathered.size === 0) return;
    this.#leaving = this.#gathered;
    this.#gathered = new Map();
    for (const some of chunksOf([...this.#leaving.values()])) {
      try {
        await this.#put(some);
      } catch {
        // A record that was damaged keeps the others from being written with it.
        for (const one of some) await this.#put([one]).catch((error: unknown) => this.#complain(error));
      }
    }
    this.#leaving = new Map();
  }

  #complain(error: unknown): void {
    this.#logger.error({ err: error }, 'the last use of an access key or role could not be written');
  }

  #put(uses: readonly LastUseRecord[]): Promise<void> {
    return this.#store.writeAside(async (transaction) => {
      const subjects = uses.map(({ subject }) => subject);
      const keys = await transaction.selectFrom('iam_access_key').select('id').where('id', 'in', subjects).execute();
      const roles = await transaction.selectFrom('iam_principal').select('id').where('id', 'in', subjects).execute();
      // Who was deleted meanwhile leaves nothing.
      const existing = new Set([...keys, ...roles].map(({ id }) => id));
      const rows = uses.filter(({ subject }) => existing.has(subject));
      for (const { subject, account, ...use } of rows) {
        await transaction
          .insertInto('iam_last_use')
          .values({ subject, account, ...use })
          .onConflict((conflict) => conflict.column('subject').doUpdateSet(use))
          .execute();
      }
    });
  }
}

function subjectOf(caller: Exclude<AuditRecord['caller'], { type: 'anonymous' | 'service' }>): string | undefined {
  if (caller.type === 'assumed-role') return caller.principalId.split(':')[0];
  // A session's key is none that anybody rotates.
  return caller.session === undefined ? caller.accessKeyId : undefined;
}

/** `s3.amazonaws.com` → `s3`. */
export function serviceOf(eventSource: string): string {
  return eventSource.endsWith(SERVICE_SUFFIX) ? eventSource.slice(0, -SERVICE_SUFFIX.length) : eventSource;
}

function* chunksOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let i = 0; i < items.length; i += ROWS_OF_ONE_QUERY) yield items.slice(i, i + ROWS_OF_ONE_QUERY);
}
