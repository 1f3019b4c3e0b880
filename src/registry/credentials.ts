/**
 * A login. `password`: sent as Basic, to the registry or its token server. `identity`: an OAuth2 refresh token, sent to
 * the token server only.
 */
export type Credentials =
  { kind: 'password'; username: string; password: string } | { kind: 'identity'; token: string };

/** Finds the login for a registry as it is named in references (`docker.io`, `localhost:5000`); undefined: none. */
export type CredentialSource = (registry: string, signal: AbortSignal) => Promise<Credentials | undefined>;

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
