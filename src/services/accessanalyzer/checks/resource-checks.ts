import { type Place, type Report, shown } from '../domain/finding.ts';
import type { ReadValue } from '../domain/read-policy.ts';
import { compileResource } from '../facts/arn-pattern.ts';
import type { ResourceTypeFacts, ServiceFacts } from '../facts/authorization-facts.ts';
import type { Work } from '../domain/work.ts';
import { type CheckedPolicy, hasWildcard, mayIntersect, meant } from './checked-policy.ts';

const FIELDS = 6;
const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f'];
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
/** Accounts of AWS's own: `arn:aws:iam::aws:policy/…`. */
const ACCOUNT = /^(?:\d{12}|aws|aws-marketplace|third-party|cloudfront)$/;

/** Whether resources are ARNs, of services and kinds that there are. */
export function checkResources(checked: CheckedPolicy, report: Report): void {
  for (const { resource } of checked.policy.statements) {
    for (const value of resource?.values ?? []) checkResource(value, checked, report);
  }
}

/** Text of a field that only a request decides. */
function isOpen(field: string): boolean {
  return hasWildcard(field) || field.includes('${');
}

/** Splits at colons, but not within variables. */
function fieldsOf(arn: string): string[] {
  const fields: string[] = [];
  let field = '';
  for (const part of arn.split(/(\$\{[^}]*\}|:)/)) {
    if (part === ':' && fields.length < FIELDS - 1) {
      fields.push(field);
      field = '';
    } else field += part;
  }
  return [...fields, field];
}

function checkResource({ text, place }: ReadValue, checked: CheckedPolicy, report: Report): void {
  if (text === '*' || text.startsWith('${')) return;
  const fields = fieldsOf(text);
  if (fields[0] !== 'arn') {
    if (isOpen(fields[0] ?? '')) return;
    report.error('INVALID_ARN_PREFIX', 'Add the required prefix (arn) to the resource ARN.', place);
    return;
  }
  if (fields.length < FIELDS) {
    if (fields.at(-1)?.endsWith('*') === true) return;
    const details = `Resource ARNs must include at least ${FIELDS} fields in the following structure: arn:partition:service:region:account:resource`;
    report.error('MISSING_ARN_FIELD', details, place);
    return;
  }
  const [, partition = '', name = '', region = '', account = '', rest = ''] = fields;
  if (!isOpen(partition) && !PARTITIONS.includes(partition)) {
    const details = `The resource ARN for the service ${shown(name)} does not support the partition ${shown(partition)}. Use the supported values: [${PARTITIONS.join(', ')}]`;
    report.error('INVALID_PARTITION', details, place);
  }
  if (isOpen(name)) return;
  const service = checked.services.get(name.toLowerCase());
  if (service === undefined) {
    const right = meant(name, checked.prefixes, checked.work);
    const hint = right === undefined ? '' : ` Did you mean ${right}?`;
    report.error(
      'INVALID_SERVICE',
      `The service ${shown(name)} does not exist. Use a valid service name.${hint}`,
      place,
    );
    return;
  }
  if (name !== name.toLowerCase()) {
    const details = `Update the service name ${name} in the resource ARN to use all lowercase letters.`;
    report.error('INVALID_ARN_SERVICE_CASE', details, place);
  }
  if (account !== '' && !isOpen(account) && !ACCOUNT.test(account)) {
    const details = `The resource ARN account ID ${shown(account)} is not valid. Provide a 12-digit account ID.`;
    report.error('INVALID_ARN_ACCOUNT', details, place);
    return;
  }
  if (region !== '' && !isOpen(region) && !REGION.test(region)) {
    const details = `The Region ${shown(region)} is not valid for this resource. Update the resource ARN to include a supported Region.`;
    report.error('INVALID_ARN_REGION', details, place);
    return;
  }
  checkFormat({ name: name.toLowerCase(), region, account, rest }, service, place, { report, work: checked.work });
}

interface Fields {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly rest: string;
}

/** Compares with the service's resource types: if none fits, what would have to be otherwise so that one did. */
function checkFormat(
  fields: Fields,
  service: ServiceFacts,
  place: Place,
  { report, work }: { readonly report: Report; readonly work: Work },
): void {
  const types = [...service.resourceTypes.values()];
  if (types.length === 0) return;
  const { name, region, account, rest } = fields;
  const withFields = (newRegion: string, newAccount: string) => `arn:aws:${name}:${newRegion}:${newAccount}:${rest}`;
  if (fitsSome(withFields(region, account), types, work)) return;
  if (account !== '' && fitsSome(withFields(region, ''), types, work)) {
    const details = `The service ${name} does not support specifying an account ID in the resource ARN.`;
    report.error('ARN_ACCOUNT_NOT_ALLOWED', details, place);
  } else if (
    region !== '' &&
    (fitsSome(withFields('', account), types, work) || fitsSome(withFields('', ''), types, work))
  ) {
    const details = `The service ${name} does not support specifying a Region in the resource ARN.`;
    report.error('ARN_REGION_NOT_ALLOWED', details, place);
  } else if (region === '' && fitsSome(withFields('*', account), types, work)) {
    report.error('MISSING_ARN_REGION', `Add a Region to the ${name} resource ARN.`, place);
  } else if (
    account === '' &&
    (fitsSome(withFields(region, '*'), types, work) || fitsSome(withFields('*', '*'), types, work))
  ) {
    report.error(
      'INVALID_ARN_ACCOUNT',
      'The resource ARN account ID is not valid. Provide a 12-digit account ID.',
      place,
    );
  } else {
    const forms = types.slice(0, 4).map((type) => type.arn);
    const details = `Resource ARN does not match the expected ARN format. Update the resource portion of the ARN. The forms of ${service.prefix} are ${forms.join(', ')}${types.length > forms.length ? ', …' : ''}`;
    report.error('INVALID_ARN_RESOURCE', details, place);
  }
}

function fitsSome(arn: string, types: readonly ResourceTypeFacts[], work: Work): boolean {
  const pattern = compileResource(arn);
  // A placeholder of a format stands for at least one character: an empty field fits only a format that has it empty.
  const [, , , region, account] = fieldsOf(arn);
  return types.some((type) => {
    const [, , , wantedRegion, wantedAccount] = fieldsOf(type.arn);
    if (region === '' && wantedRegion !== '') return false;
    if (account === '' && wantedAccount !== '') return false;
    return mayIntersect(type.pattern, pattern, work);
  });
}
