import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A reference to a shape, with the bindings of the member that holds it. */
export interface ModelMember {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode';
  readonly locationName?: string;
  readonly idempotencyToken?: boolean;
  readonly jsonvalue?: boolean;
}

export interface ModelShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, ModelMember>>;
  readonly required?: readonly string[];
  readonly member?: ModelMember;
  readonly key?: ModelMember;
  readonly value?: ModelMember;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
  readonly streaming?: boolean;
  readonly payload?: string;
  readonly union?: boolean;
  readonly exception?: boolean;
  readonly timestampFormat?: string;
  readonly error?: { readonly httpStatusCode?: number; readonly senderFault?: boolean };
}

interface ModelOperation {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
}

/** The parts of a public service model (`service-2.json`) from which facts are taken. */
export interface ServiceModel {
  readonly metadata: { readonly apiVersion: string; readonly protocol: string; readonly serviceId: string };
  readonly operations: Readonly<Record<string, ModelOperation>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

/**
 * Reads the newest version of one service's model.
 *
 * @param folder holds a folder for each service, as botocore's `data` folder does
 * @param service the service's folder, such as `kms`
 * @throws Error when there is none
 */
export function readServiceModel(folder: string, service: string): ServiceModel {
  const versions = readdirSync(join(folder, service)).sort();
  const newest = versions.at(-1);
  if (newest === undefined) throw new Error(`There is no model of ${service} in ${folder}.`);
  const versionFolder = join(folder, service, newest);
  const packed = readdirSync(versionFolder).includes('service-2.json.gz');
  const text = packed
    ? gunzipSync(readFileSync(join(versionFolder, 'service-2.json.gz'))).toString('utf8')
    : readFileSync(join(versionFolder, 'service-2.json'), 'utf8');
  const model: ServiceModel = JSON.parse(text);
  return model;
}

/** @throws Error when the model does not define the shape. */
export function shapeOf(model: ServiceModel, name: string): ModelShape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`The model has no shape ${name}.`);
  return shape;
}
