import type { ServiceError } from './service-error.ts';

/** A request to a bucket's website, as far as it says what is asked for. */
export interface WebsiteRequest {
  readonly bucket: string;
  /** Decoded, without the first slash. */
  readonly key: string;
  readonly method: string;
  /** As received. */
  readonly host: string;
  readonly isSecure: boolean;
}

/** What was read of an object in the name of an anonymous caller: its members, and the answer on the wire. */
interface WebsiteObject<Answer> {
  readonly redirect: string | undefined;
  readonly answer: Answer;
}

/** Asks as an anonymous caller; with the request's conditions and range, where it is the object that is asked for. */
export interface WebsiteReader<Answer> {
  /** @throws ServiceError as GetObject */
  read(key: string, isWhatWasAsked: boolean): Promise<WebsiteObject<Answer>>;
  /** @throws ServiceError as HeadObject */
  head(key: string): Promise<void>;
}

/** What a website answers. */
export type WebsiteAnswer<Answer> =
  | { readonly kind: 'object'; readonly answer: Answer; readonly status?: number; readonly error?: ServiceError }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | {
      readonly kind: 'error';
      readonly error: ServiceError;
      /** Why the website's own error document is not shown. */
      readonly ofErrorDocument?: ServiceError;
    };

/** A service whose resources can be websites. */
export interface Website {
  answer<Answer>(request: WebsiteRequest, reader: WebsiteReader<Answer>): Promise<WebsiteAnswer<Answer>>;
}
