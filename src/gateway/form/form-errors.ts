import { ServiceError } from '#kernel/service-error.ts';

type Members = Readonly<Record<string, string>>;

// S3's words for what is wrong with a form (S3 API reference, "Error responses").

export function malformedForm(): ServiceError {
  const message = 'The body of your POST request is not well-formed multipart/form-data.';
  return new ServiceError('MalformedPOSTRequest', 400, message);
}

export function notAForm(): ServiceError {
  return new ServiceError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    members: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
  });
}

export function preludeTooLarge(limit: number): ServiceError {
  const message = 'Your POST request fields preceding the upload file were too large.';
  return new ServiceError('MaxPostPreDataLengthExceeded', 400, message, {
    members: { MaxPostPreDataLengthBytes: String(limit) },
  });
}

function formArgument(message: string, name: string, value: string): ServiceError {
  const members: Members = { ArgumentName: name, ArgumentValue: value };
  return new ServiceError('InvalidArgument', 400, message, { members });
}

export function noFile(): ServiceError {
  return formArgument('POST requires exactly one file upload per request.', 'file', '0');
}

export function noKey(): ServiceError {
  return formArgument(
    "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    'key',
    '',
  );
}

export function repeatedField(name: string): ServiceError {
  return formArgument('POST requires exactly one of each field.', name, '');
}

export function invalidPolicyDocument(what: string): ServiceError {
  return new ServiceError('InvalidPolicyDocument', 400, `Invalid Policy: ${what}`);
}

export function againstPolicy(what: string): ServiceError {
  return new ServiceError('AccessDenied', 403, `Invalid according to Policy: ${what}`);
}
