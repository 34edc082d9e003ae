/** Brands: values of one kind that must not be mixed up with another string. */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Twelve decimal digits. */
export type AccountId = Brand<string, 'AccountId'>;

/** A region name as it stands in a signature's scope, such as `eu-west-1`. */
export type Region = Brand<string, 'Region'>;

const ACCOUNT_ID = /^\d{12}$/;
const REGION = /^[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}$/;

export function isAccountId(text: string): text is AccountId {
  return ACCOUNT_ID.test(text);
}

/** @throws RangeError when `text` is not twelve digits. */
export function asAccountId(text: string): AccountId {
  if (!isAccountId(text)) throw new RangeError(`An account id is twelve digits, not '${text}'.`);
  return text;
}

export function isRegion(text: string): text is Region {
  return REGION.test(text);
}

/** @throws RangeError when `text` is not shaped like a region name. */
export function asRegion(text: string): Region {
  if (!isRegion(text)) throw new RangeError(`'${text}' is not a region name.`);
  return text;
}
