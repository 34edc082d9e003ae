import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import { notAuthorized } from '../errors.ts';
import type { StreamingSession } from './streaming-session.ts';

const SEAL_CONTEXT = 'kinesis-video-archived-media/session/1';
/** AWS's tokens end so. */
const END = '~';
/** Longer ones are none of ours, whatever a session's policies say. */
const MAX_TOKEN_LENGTH = 32_768;
const MAX_SESSION_LENGTH = 262_144;

/**
 * What stands in every session. Tokens stand in every line of a playlist: with this they are half as long.
 *
 * Frozen while tokens live, which is twelve hours: the context has a version.
 */
const COMMON = Buffer.from(
  '"session":{"issuedAt":17,"expiresAt":17,"policies":[],"tags":{},"transitiveTagKeys":[],"isMfaAuthenticated":false}' +
    '"type":"assumed-role","roleArn":"arn:aws:iam::role/","roleName":"","sessionName":"","arn:aws:sts::assumed-role/' +
    '"caller":{"type":"root","accountId":"","arn":"arn:aws:iam:::root","principalId":"","accessKeyId":"AKIA"}' +
    '"type":"user","arn":"arn:aws:iam:::user/","principalId":"AIDA","userName":"' +
    '"end":17,"firstNumber":"91343852333181,"container":"MPEG_TS","discontinuityMode":"ON_DISCONTINUITY"' +
    '"mode":"ON_DEMAND","mode":"LIVE_REPLAY","by":"producer",ALWAYS"areTimestampsShown":true,"areNumbersShown":true,' +
    '{"protocol":"HLS","streamArn":"arn:aws:kinesisvideo:us-east-1::stream/","mode":"LIVE","by":"server","start":17' +
    '"maxFragments":5,"container":"FRAGMENTED_MP4","discontinuityMode":"NEVER","areTimestampsShown":false,' +
    '"areNumbersShown":false,"zeroAt":17,"createdAt":17,"expiresAt":17}',
);

/** Makes and reads the tokens that players bear. Only this installation can read or make one. */
export class SessionTokens {
  readonly #rootKey: RootKey;
  readonly #clock: Clock;

  constructor(rootKey: RootKey, clock: Clock) {
    this.#rootKey = rootKey;
    this.#clock = clock;
  }

  /** A token with characters that need no escape in an address. */
  write(session: StreamingSession): string {
    const packed = deflateRawSync(JSON.stringify(session), { dictionary: COMMON, level: 9 });
    return this.#rootKey.sealToken(packed, SEAL_CONTEXT).toString('base64url') + END;
  }

  /**
   * INVARIANT: a session comes from a token of ours that holds still, or not at all.
   *
   * @throws ServiceError NotAuthorizedException
   */
  read(token: string | undefined): StreamingSession {
    const session = this.#open(token);
    if (session.expiresAt <= this.#clock.now()) throw notAuthorized('Streaming session token is expired.');
    return session;
  }

  #open(token: string | undefined): StreamingSession {
    const invalid = () => notAuthorized('Streaming session token is invalid.');
    if (token === undefined || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) throw invalid();
    try {
      const packed = this.#rootKey.openToken(Buffer.from(token.slice(0, -1), 'base64url'), SEAL_CONTEXT);
      const text = inflateRawSync(packed, { dictionary: COMMON, maxOutputLength: MAX_SESSION_LENGTH }).toString();
      return JSON.parse(text) as StreamingSession;
    } catch (error) {
      if (error instanceof DecryptionError) throw invalid();
      throw error;
    }
  }
}

const TOKEN = /^[A-Za-z0-9_-]+~$/;
