/** The token, or its module, cannot do what it was asked. The message is for the operator, and holds no secret. */
export class TokenError extends Error {}
