import type { ServiceErrors, Violation } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { jsonPointer } from '#kernel/validation-message.ts';

/** Something wrong with one setting: a JSON pointer into the job's settings, and what is wrong. */
export interface Problem {
  readonly pointer: string;
  readonly text: string;
  /** Something has to be there that is not; a template or a preset may leave it to the job. */
  readonly isMissing?: true;
}

export function badRequest(message: string): ServiceError {
  return new ServiceError('BadRequestException', 400, message);
}

/** As MediaConvert lists what is wrong with a job: `/outputGroups/0/outputs/0: … | /inputs/0: …`. */
export function invalidSettings(problems: readonly Problem[]): ServiceError {
  return badRequest(problems.map(({ pointer, text }) => `${pointer}: ${text}`).join(' | '));
}

export function notFound(message: string): ServiceError {
  return new ServiceError('NotFoundException', 404, message);
}

export function forbidden(message: string): ServiceError {
  return new ServiceError('ForbiddenException', 403, message);
}

export function conflict(message: string): ServiceError {
  return new ServiceError('ConflictException', 409, message);
}

/** This installation cannot do it, and says why. */
export function unavailable(message: string): ServiceError {
  return new ServiceError('InternalServerErrorException', 500, message);
}

export function tooManyRequests(message: string): ServiceError {
  return new ServiceError('TooManyRequestsException', 429, message);
}

export function quotaExceeded(message: string): ServiceError {
  return new ServiceError('ServiceQuotaExceededException', 402, message);
}

/** A refused PassRole is an AccessDeniedException, which is not among the modelled errors. */
export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', 403, message);
}

export const mediaconvertErrors: ServiceErrors = {
  accessDenied,
  validation: (violations) => invalidSettings(violations.map(problemOf)),
  malformed: (message, fault) =>
    fault === undefined || fault.path.length === 0
      ? badRequest(message)
      : invalidSettings([{ pointer: pointerOf(fault.path), text: fault.reason }]),
  internal: () => new ServiceError('InternalServerErrorException', 500, 'Internal server error'),
};

function problemOf(violation: Violation): Problem {
  const { path, kind } = violation;
  if (kind === 'required') {
    return { pointer: pointerOf(path, path.length - 1), text: `${String(path.at(-1))} is a required property` };
  }
  return { pointer: pointerOf(path), text: textOf(violation) };
}

/** MediaConvert's pointers begin inside the job's settings. */
function pointerOf(path: Violation['path'], length = path.length): string {
  const isInside = path[0] === 'settings' && path.length > 1;
  return jsonPointer(path.slice(isInside ? 1 : 0, length));
}

function textOf({ kind, constraint, value }: Violation): string {
  const { min, max, pattern, enum: allowed } = constraint;
  switch (kind) {
    case 'range':
      return min === undefined ? `Should be less than or equal to ${max}` : `Should be greater than or equal to ${min}`;
    case 'length': {
      const unit = Array.isArray(value) ? 'items' : 'characters';
      return min === undefined ? `Should have at most ${max} ${unit}` : `Should have at least ${min} ${unit}`;
    }
    case 'pattern':
      return `Should match pattern ${JSON.stringify(pattern)}`;
    case 'enum':
      return `Should be equal to one of the allowed values in ${JSON.stringify(allowed)}`;
    default:
      return 'Should have the right type';
  }
}
