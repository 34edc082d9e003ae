import type { PasswordPolicyRecord } from '../records/passwords.ts';

const DEFAULT_LENGTH = 8;
const DEFAULT_KINDS = 3;

const KINDS = {
  uppercase: /[A-Z]/,
  lowercase: /[a-z]/,
  numbers: /[0-9]/,
  // The ones that the user guide lists ("Setting an account password policy").
  symbols: /[!@#$%^&*()_+\-=[\]{}|']/,
} as const;

const WORDS = {
  uppercase: 'at least one uppercase character (A-Z)',
  lowercase: 'at least one lowercase character (a-z)',
  numbers: 'at least one number (0-9)',
  symbols: "at least one symbol (! @ # $ % ^ & * ( ) _ + - = [ ] { } | ')",
} as const;

const KIND_NAMES = ['uppercase', 'lowercase', 'numbers', 'symbols'] as const;

/**
 * What is wrong with a password, in words; `undefined` for a good one. Where an account has no policy, AWS's own holds:
 * eight characters of three kinds, and neither the account's name nor its address.
 *
 * @param names what it must not be where there is no policy
 */
export function passwordProblem(
  password: string,
  policy: PasswordPolicyRecord | undefined,
  names: readonly string[],
): string | undefined {
  const { length } = password;
  const minimum = policy?.min_length ?? DEFAULT_LENGTH;
  if (length < minimum) return `Password should have a minimum length of ${minimum}`;
  if (policy !== undefined) {
    const missing = KIND_NAMES.find((kind) => policy[kind] === 1 && !KINDS[kind].test(password));
    return missing && `Password should have ${WORDS[missing]}`;
  }
  const count = KIND_NAMES.filter((kind) => KINDS[kind].test(password)).length;
  if (count < DEFAULT_KINDS) {
    return 'Password should have at least three of the following: uppercase characters, lowercase characters, numbers and symbols';
  }
  if (names.some((name) => name.toLowerCase() === password.toLowerCase())) {
    return 'Password should not be the name or the email address of the account';
  }
  return undefined;
}
