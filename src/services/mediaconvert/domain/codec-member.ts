import type { Problem } from '../errors.ts';
import { missing } from './setting-rule.ts';

/** Of each codec: the member in which its settings are kept, as the SDK and as the wire name it. */
type CodecMembers<Settings> = Readonly<Record<string, readonly [keyof Settings, string]>>;

/** Checks that a codec is named, and that the settings of that codec are given, and of no other. */
export function checkCodecMember<Settings extends { readonly Codec?: string | undefined }>(
  settings: Settings | undefined,
  members: CodecMembers<Settings>,
  pointer: string,
  problems: Problem[],
): void {
  const at = `${pointer}/codecSettings`;
  if (settings === undefined) {
    problems.push(missing(pointer, 'codecSettings'));
    return;
  }
  if (settings.Codec === undefined) problems.push(missing(at, 'codec'));
  for (const [codec, [name, member]] of Object.entries(members)) {
    const given = settings[name];
    if (settings.Codec === codec && given === undefined) problems.push(missing(at, member));
    if (settings.Codec !== undefined && settings.Codec !== codec && given !== undefined) {
      problems.push({ pointer: `${at}/${member}`, text: `Needs codec ${codec}` });
    }
  }
}
