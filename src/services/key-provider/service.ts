import type { Service } from '#kernel/service.ts';
import type { KeyProviderContext } from './context.ts';
import { PATH_PREFIX } from './domain/addresses.ts';
import { keyProviderErrors, tooLarge } from './errors.ts';
import { createLicenceToken } from './operations/create-licence-token.ts';
import { getContentKey, getLicence } from './operations/licences.ts';
import { playContentKey, playLicence, preflightPlay } from './operations/play.ts';
import { requestContentKeys } from './operations/request-content-keys.ts';
import { KEY_PROVIDER_SCHEMAS, RequestContentKeys$ } from './schemas.ts';

const MAX_DOCUMENT = 1024 * 1024;
const MAX_OTHER_BODY = 64 * 1024;

/** The SPEKE key provider: an API behind an address of API Gateway's form. */
export function keyProviderService(context: KeyProviderContext): Service<KeyProviderContext> {
  return {
    name: 'key-provider',
    eventSource: 'execute-api.amazonaws.com',
    signingNames: ['execute-api'],
    protocol: 'restJson1',
    schemas: KEY_PROVIDER_SCHEMAS,
    pathPrefix: PATH_PREFIX,
    operations: [
      requestContentKeys,
      createLicenceToken,
      getLicence,
      getContentKey,
      playLicence,
      playContentKey,
      preflightPlay,
    ],
    context,
    constraints: {},
    errors: keyProviderErrors,
    checkBody(operation, _header, body) {
      if (body.length > (operation === RequestContentKeys$[2] ? MAX_DOCUMENT : MAX_OTHER_BODY)) throw tooLarge();
    },
  };
}
