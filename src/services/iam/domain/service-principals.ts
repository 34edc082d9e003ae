import { nearest } from '#policy/nearest.ts';

const DOMAIN = '.amazonaws.com';
/** Services that are here and act in their own names, or whose names are easily mistaken. */
const HERE = ['mediaconvert', 'mediaconnect', 'kinesisvideo', 'secretsmanager', 'cloudtrail', 'execute-api'];
/** AWS's other services with names that are near to these. */
const NEIGHBOURS = [
  'kinesis',
  'kinesisanalytics',
  'medialive',
  'mediapackage',
  'mediapackagev2',
  'mediastore',
  'mediatailor',
];

/**
 * The service that was meant by a principal such as `mediaconvertt.amazonaws.com` or `elemental-mediaconvert.amazonaws.com`;
 * `undefined` for all that is no slip of these names: services come and go, and a list of them would refuse new ones.
 */
export function meantService(principal: string): string | undefined {
  if (!principal.endsWith(DOMAIN)) return undefined;
  const name = principal.slice(0, -DOMAIN.length).replace(/^elemental-?/, '');
  const meant = nearest(name, [...HERE, ...NEIGHBOURS]);
  if (meant === undefined || `${meant}${DOMAIN}` === principal) return undefined;
  return HERE.includes(meant) ? `${meant}${DOMAIN}` : undefined;
}
