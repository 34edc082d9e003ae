import type { ServiceModel } from './service-model.ts';
export function printSchemas(_model: ServiceModel, _ns: string, header: string): string {
  return header;
}
