/**
 * A login. `password`: sent as Basic, to the registry or its token server. `identity`: an OAuth2 refresh token, sent to
 * the token server only. `bearer`: sent to the registry as it is. `none`: there may be one, but it cannot be had;
 * `because` is a sentence for the user.
 */
export type Credentials =
  | PasswordLogin
  | { kind: 'identity'; token: string }
  | { kind: 'bearer'; token: string }
  | { kind: 'none'; because: string };

export interface PasswordLogin {
  kind: 'password';
  username: string;
  password: string;
}

/**
 * Finds the login for a registry as it is named in references (`docker.io`, `localhost:5000`), and for a repository there;
 * undefined: none.
 */
export type CredentialSource = (
  registry: string,
  signal: AbortSignal,
  repository?: string,
) => Promise<Credentials | undefined>;

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
