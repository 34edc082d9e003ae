import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { SignerHash } from '#crypto/signer-hash.ts';
import { type ClientSettings, findClientSettings } from '../client-settings.ts';
import { type CommandLineOptions, ConfigError } from '../config.ts';

interface LicenceOptions extends CommandLineOptions {
  readonly expires?: string;
  readonly token?: boolean;
}

const STAGE_PATH = '/_aws/execute-api/coffer/speke';

/** Prints where a player gets the licences of a content, in the name of who asks. */
export async function mediaconvertLicenceUrl(content: string, options: LicenceOptions): Promise<void> {
  const settings = await findClientSettings(options, process.env);
  const wish = options.expires === undefined ? {} : { expires: Number(options.expires) };
  const { token, licenceUrl } = await askForToken(settings, content, JSON.stringify(wish));
  console.log(options.token === true ? token : licenceUrl);
}

async function askForToken(settings: ClientSettings, content: string, body: string) {
  const url = new URL(`${STAGE_PATH}/licence-tokens/${encodeURIComponent(content)}`, settings.endpoint);
  const headers = await signedHeaders(url, settings, body);
  const answer = await fetch(url, { method: 'POST', headers, body }).catch((error: unknown) => {
    throw new ConfigError(`${url.origin} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  });
  const parsed = (await answer.json()) as Readonly<Record<string, string | undefined>>;
  const { token, licenceUrl } = parsed;
  if (token === undefined || licenceUrl === undefined) {
    throw new ConfigError(parsed['message'] ?? parsed['Message'] ?? `The server answered ${answer.status}.`);
  }
  return { token, licenceUrl };
}

async function signedHeaders(url: URL, settings: ClientSettings, body: string): Promise<Record<string, string>> {
  // It finds credentials as all of the SDK's clients do.
  const client = new STSClient(settings);
  const credentials = await client.config.credentials();
  client.destroy();
  const signer = new SignatureV4({ service: 'execute-api', region: settings.region, sha256: SignerHash, credentials });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' },
    body,
  });
  const { host: _host, ...sent } = headers;
  return sent;
}
