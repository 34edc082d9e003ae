import type { RoutingRule, WebsiteConfiguration } from '@aws-sdk/client-s3';
import { invalidArgument, invalidRequest, malformedXml } from '../errors.ts';

const MAXIMUM_RULES = 50;

/** A website's settings as a bucket keeps them: as they were given, and sound. */
export type WebsiteSettings = WebsiteConfiguration;

/** @throws ServiceError MalformedXML, InvalidArgument, InvalidRequest */
export function readWebsite(given: WebsiteConfiguration | undefined): WebsiteSettings {
  if (given === undefined) throw malformedXml();
  const { RedirectAllRequestsTo: all, IndexDocument: index, ErrorDocument: error, RoutingRules: rules = [] } = given;
  if (all !== undefined) {
    if (index !== undefined || error !== undefined || rules.length > 0) {
      throw invalidRequest('RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.');
    }
    if (all.HostName === undefined || all.HostName === '') throw malformedXml();
    return { RedirectAllRequestsTo: all };
  }
  if (index === undefined) {
    const message = 'A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty';
    throw invalidArgument(message, 'IndexDocument', 'null');
  }
  const { Suffix: suffix = '' } = index;
  if (suffix === '' || suffix.includes('/')) {
    throw invalidArgument('The IndexDocument Suffix is not well formed', 'IndexDocument', suffix);
  }
  if (error?.Key === '') throw invalidArgument('The ErrorDocument Key is not well formed', 'ErrorDocument', '');
  if (rules.length > MAXIMUM_RULES) {
    throw invalidRequest(
      `${rules.length} routing rules provided, the number of routing rules in a website configuration is limited to ${MAXIMUM_RULES}.`,
    );
  }
  for (const rule of rules) checkRule(rule);
  return {
    IndexDocument: index,
    ...(error !== undefined && { ErrorDocument: error }),
    ...(rules.length > 0 && { RoutingRules: rules }),
  };
}

function checkRule({ Condition: condition, Redirect: redirect }: RoutingRule): void {
  if (redirect === undefined || Object.values(redirect).every((value) => value === undefined)) throw malformedXml();
  if (condition !== undefined && Object.values(condition).every((value) => value === undefined)) {
    throw invalidRequest(
      "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
    );
  }
  const { HttpRedirectCode: code, ReplaceKeyWith: key, ReplaceKeyPrefixWith: prefix } = redirect;
  if (key !== undefined && prefix !== undefined) {
    throw invalidRequest('You can only define ReplaceKeyPrefix or ReplaceKey but not both.');
  }
  if (code !== undefined && !/^3(?!00)\d\d$/.test(code)) {
    throw invalidRequest(`The provided HTTP redirect code (${code}) is not valid. Valid codes are 3XX except 300.`);
  }
  const error = condition?.HttpErrorCodeReturnedEquals;
  if (error !== undefined && !/^[45]\d\d$/.test(error)) {
    throw invalidRequest(`The provided HTTP error code (${error}) is not valid. Valid codes are 4XX or 5XX.`);
  }
}
