import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import type { Constraint } from '../../src/kernel/service.ts';
import { type ModelShape, type ServiceModel, shapeOf } from './service-model.ts';

type Facts = Map<string, Map<string, Constraint>>;

export interface ConstraintFacts {
  /** Structure, list or map name → member name → constraint, both in sorted order. */
  readonly facts: Facts;
  /** Where model and schemas disagree: members or operations that only one of them knows. */
  readonly disagreements: readonly string[];
}

const LENGTH_TYPES = new Set(['string', 'blob', 'list', 'map']);
const INTEGER_TYPES = new Set(['integer', 'long', 'short', 'byte']);
const NUMBER_TYPES = new Set(['integer', 'long', 'float', 'double', 'short', 'byte']);
const PATTERNS_THAT_MATCH_ALL = new Set(['[\\s\\S]*', '^[\\s\\S]*$', '[\\s\\S]+']);
const MAX_INT = 2_147_483_647;

/** The constraint that a member's target shape gives it, or `undefined` where it gives none. */
function constraintOf(shape: ModelShape, isRequired: boolean, newerValues: readonly string[]): Constraint | undefined {
  const isNumeric = NUMBER_TYPES.has(shape.type);
  const hasBounds = isNumeric || LENGTH_TYPES.has(shape.type);
  const min =
    hasBounds && shape.min !== undefined && (isNumeric || Number(shape.min) > 0) ? Number(shape.min) : undefined;
  const max = hasBounds && shape.max !== undefined && Number(shape.max) < MAX_INT ? Number(shape.max) : undefined;
  const hasPattern = shape.pattern !== undefined && !PATTERNS_THAT_MATCH_ALL.has(shape.pattern);
  const constraint: Constraint = {
    ...(isRequired ? { required: true } : {}),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(isNumeric && (min !== undefined || max !== undefined) ? { isNumeric: true } : {}),
    ...(INTEGER_TYPES.has(shape.type) ? { isInteger: true } : {}),
    ...(hasPattern && shape.pattern !== undefined ? { pattern: shape.pattern } : {}),
    ...(shape.enum === undefined ? {} : { enum: [...new Set([...shape.enum, ...newerValues])] }),
  };
  return Object.keys(constraint).length === 0 ? undefined : constraint;
}

/** The values of the enumeration that the SDK exports under the shape's name: it may be newer than the model. */
function enumValuesIn(sdk: object, shapeName: string): string[] {
  const exported: unknown = Reflect.get(sdk, shapeName);
  if (typeof exported !== 'object' || exported === null || Array.isArray(exported)) return [];
  return Object.values(exported).filter((value) => typeof value === 'string');
}

/**
 * Walks the SDK's schemas of all inputs beside the model's shapes, so that the constraints are keyed by the names that
 * the SDK uses. A list or map without a name of its own in the SDK is keyed by where it stands: `Structure.Member`.
 */
export function collectConstraints(
  model: ServiceModel,
  operations: readonly StaticOperationSchema[],
  sdk: object,
): ConstraintFacts {
  const facts: Facts = new Map();
  const disagreements: string[] = [];
  const seen = new Set<string>();

  const constraintFrom = (shapeName: string, isRequired = false): Constraint | undefined =>
    constraintOf(shapeOf(model, shapeName), isRequired, enumValuesIn(sdk, shapeName));

  const add = (owner: string, member: string, constraint: Constraint | undefined): void => {
    if (constraint === undefined) return;
    const members = facts.get(owner) ?? new Map<string, Constraint>();
    const known = members.get(member);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(constraint)) {
      throw new Error(`${owner}.${member} has two different constraints in the model.`);
    }
    members.set(member, constraint);
    facts.set(owner, members);
  };

  const walk = (schema: NormalizedSchema, shapeName: string, place: string): void => {
    const shape = shapeOf(model, shapeName);
    const isNamed = Array.isArray(schema.getSchema());
    const owner = isNamed ? (schema.getName() ?? place) : place;
    if (seen.has(owner)) return;
    if (schema.isStructSchema()) {
      seen.add(owner);
      const known = new Set<string>();
      for (const [memberName, member] of schema.structIterator()) {
        known.add(memberName);
        const target = shape.members?.[memberName];
        if (target === undefined) {
          disagreements.push(`${owner}.${memberName} is not in the model`);
          continue;
        }
        add(owner, memberName, constraintFrom(target.shape, shape.required?.includes(memberName)));
        walk(member, target.shape, `${owner}.${memberName}`);
      }
      for (const memberName of Object.keys(shape.members ?? {})) {
        if (!known.has(memberName)) disagreements.push(`${owner}.${memberName} is not in the schemas`);
      }
    } else if (schema.isListSchema() && shape.member !== undefined) {
      seen.add(owner);
      add(owner, 'member', constraintFrom(shape.member.shape));
      walk(schema.getValueSchema(), shape.member.shape, `${owner}.member`);
    } else if (schema.isMapSchema() && shape.key !== undefined && shape.value !== undefined) {
      seen.add(owner);
      add(owner, 'key', constraintFrom(shape.key.shape));
      add(owner, 'value', constraintFrom(shape.value.shape));
      walk(schema.getValueSchema(), shape.value.shape, `${owner}.value`);
    }
  };

  for (const operation of operations) {
    const known = model.operations[operation[2]];
    if (known === undefined) disagreements.push(`operation ${operation[2]} is not in the model`);
    const inputShape = known?.input?.shape;
    if (inputShape !== undefined) {
      const input = NormalizedSchema.of(operation[4]);
      walk(input, inputShape, input.getName() ?? inputShape);
    }
  }
  return { facts, disagreements };
}

/** Writes the facts as a TypeScript module; constraints that occur more than once are named once. */
export function printConstraints(facts: Facts, header: string): string {
  const counts = new Map<string, number>();
  for (const members of facts.values()) {
    for (const constraint of members.values()) {
      const text = JSON.stringify(constraint);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  const names = new Map<string, string>();
  for (const [text, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (count > 1) names.set(text, text === '{"required":true}' ? 'required' : `c${names.size + 1}`);
  }
  const lines = [header, "import type { Constraint, Constraints } from '#kernel/service.ts';", ''];
  for (const [text, name] of names) lines.push(`const ${name}: Constraint = ${text};`);
  lines.push('', 'export const constraints: Constraints = {');
  for (const [owner, members] of [...facts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entries = [...members].map(([member, constraint]) => {
      const text = JSON.stringify(constraint);
      const name = names.get(text);
      return name === member ? name : `${JSON.stringify(member)}: ${name ?? text}`;
    });
    lines.push(`  ${JSON.stringify(owner)}: { ${entries.join(', ')} },`);
  }
  lines.push('};', '');
  return lines.join('\n');
}
