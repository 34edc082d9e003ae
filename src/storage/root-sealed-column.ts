/**
 * A column that holds texts sealed under the root key (`RootKey.seal`). Each service lists its own: by that list a change
 * of the root key finds them.
 */
export interface RootSealedColumn {
  readonly table: string;
  readonly column: string;
  /** The context under which a row's text was sealed, from the row's other columns. */
  contextOf(row: Readonly<Record<string, unknown>>): string;
  /** True for a value of an earlier version that depends on the root key in another way: it is given up (NULL). */
  isGivenUp?(value: Uint8Array): boolean;
}

/** How the rows of one table are renewed when the root key is changed. */
export interface TableRenewal {
  readonly table: string;
  /** Columns that are long, and that `renew` does without. */
  readonly skips?: readonly string[];
  /** Whole numbers are read as `bigint`. */
  readonly isExact: boolean;
  renew(row: Readonly<Record<string, unknown>>): RowRenewal;
}

export interface RowRenewal {
  /** Column → its new value. Empty where nothing is to be done. */
  readonly changes: Readonly<Record<string, Uint8Array | null>>;
  /** The row opens, or bears its seal, under neither key. */
  readonly isDamaged: boolean;
}

/** How far a walk through the tables has come. */
export interface RenewalProgress {
  readonly rows: number;
  readonly total: number;
  readonly renewed: number;
  readonly damaged: number;
}
