/** What has policies of its own. */
export type PrincipalKind = 'user' | 'group' | 'role';

interface KindFacts {
  /** As error messages begin with it. */
  readonly title: string;
  /** Of unique ids. */
  readonly idPrefix: string;
  /** Characters of all inline policies together, white space not counted. */
  readonly inlineLimit: number;
  /** The quota on attached managed policies, as errors call it. */
  readonly attachmentQuota: string;
}

export const KINDS: Readonly<Record<PrincipalKind, KindFacts>> = {
  user: { title: 'User', idPrefix: 'AIDA', inlineLimit: 2048, attachmentQuota: 'PoliciesPerUser' },
  group: { title: 'Group', idPrefix: 'AGPA', inlineLimit: 5120, attachmentQuota: 'PoliciesPerGroup' },
  role: { title: 'Role', idPrefix: 'AROA', inlineLimit: 10_240, attachmentQuota: 'PoliciesPerRole' },
};

/** Managed policies that a user, group or role may have. */
export const MAX_ATTACHMENTS = 10;
