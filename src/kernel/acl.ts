/**
 * Somebody whom an access control list names: an account by its canonical user id, a service by its name, or a group. The
 * group `authenticated` is everybody with an account, `everyone` those without one too; `anonymous` is who has none.
 */
export type AclGrantee =
  | { readonly canonicalId: string }
  | { readonly service: string }
  | 'everyone'
  | 'authenticated'
  | 'anonymous';

/** To whom the access control list of a resource allows what is asked: it allows, and denies nothing. */
export interface AclQuestion {
  /** How decisions call the list: the resource's ARN. */
  readonly name: string;
  readonly grantees: readonly AclGrantee[];
}
