import { limitExceeded } from '../errors.ts';

export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';
export const PENDING = 'AWSPENDING';

const MAX_LABELS = 20;

/**
 * The staging labels of a secret's versions, each on one version at most. A value: changes make another.
 */
export class StagingLabels {
  /** Label → version id. */
  readonly #holders: ReadonlyMap<string, string>;

  private constructor(holders: ReadonlyMap<string, string>) {
    this.#holders = holders;
  }

  static of(versions: readonly { readonly version_id: string; readonly labels: string }[]): StagingLabels {
    const holders = new Map<string, string>();
    for (const { version_id, labels } of versions) {
      for (const label of JSON.parse(labels) as string[]) holders.set(label, version_id);
    }
    return new StagingLabels(holders);
  }

  holderOf(label: string): string | undefined {
    return this.#holders.get(label);
  }

  of(versionId: string): string[] {
    return [...this.#holders]
      .filter(([, holder]) => holder === versionId)
      .map(([label]) => label)
      .sort();
  }

  /**
   * Puts a label on a version, and takes it from whatever has it. When AWSCURRENT moves, AWSPREVIOUS goes to the version
   * that it left.
   *
   * @throws ServiceError LimitExceededException
   */
  withLabel(label: string, versionId: string): StagingLabels {
    const holders = new Map(this.#holders);
    const before = holders.get(label);
    holders.set(label, versionId);
    if (label === CURRENT && before !== undefined && before !== versionId) holders.set(PREVIOUS, before);
    if (holders.size > MAX_LABELS) throw limitExceeded(`A secret has at most ${MAX_LABELS} staging labels.`);
    return new StagingLabels(holders);
  }

  /** As `withLabel` for each; a secret without a current version gets one. */
  withNewVersion(versionId: string, labels: readonly string[]): StagingLabels {
    const wanted = new Set(labels);
    // AWSCURRENT goes first, so that an AWSPREVIOUS that was asked for stays where it was asked for.
    if (wanted.has(CURRENT) || !this.#holders.has(CURRENT)) {
      wanted.delete(CURRENT);
      return [CURRENT, ...wanted].reduce<StagingLabels>((all, label) => all.withLabel(label, versionId), this);
    }
    return [...wanted].reduce<StagingLabels>((all, label) => all.withLabel(label, versionId), this);
  }

  without(label: string): StagingLabels {
    const holders = new Map(this.#holders);
    holders.delete(label);
    return new StagingLabels(holders);
  }

  /** Version id → its labels, of those that have any. */
  byVersion(): Record<string, string[]> {
    return Object.fromEntries([...new Set(this.#holders.values())].map((id) => [id, this.of(id)]));
  }
}
