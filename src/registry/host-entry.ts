/** What a host may be asked for: tags (`resolve`), content by digest (`pull`). Nothing is pushed here. */
export type HostCapability = 'pull' | 'resolve' | 'push';

/** Paths of PEM files. The key may be in the file of the certificate. */
export interface ClientCertificate {
  certificate: string;
  key: string;
}

/** Certificates that go with one host, as paths of PEM files. */
export interface HostCertificates {
  /** Authorities to trust beside the usual ones. */
  ca: readonly string[];
  /** What we show of ourselves. */
  client: readonly ClientCertificate[];
}

/** One host that a registry's content can be asked from, and how. */
export interface HostEntry {
  /** Where it is; undefined: where the registry's name says. */
  origin: URL | undefined;
  /** What stands before `/<repository>/…` in the path of a request: `/v2`, `/mirror/v2`, with `override_path` anything. */
  apiRoot: string;
  capabilities: ReadonlySet<HostCapability>;
  certificates: HostCertificates;
  /** Any certificate will do. */
  skipVerify: boolean;
  /** Sent with each request to this host, names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** How long a connection may take, in milliseconds. */
  connectMs: number | undefined;
  /** In place of the proxies of the environment. */
  proxy: string | undefined;
}

/** The hosts of one registry in the order in which they are asked, the registry's own server last. */
export interface HostList {
  /** The file or folder that says so, for errors. */
  source: string;
  hosts: readonly HostEntry[];
}

/** Finds the hosts of a registry as it is named in references (`docker.io`, `localhost:5000`); undefined: only itself. */
export type HostSource = (registry: string) => Promise<HostList | undefined>;

export const NO_CERTIFICATES: HostCertificates = { ca: [], client: [] };

/** A registry at its own address, of which nothing special is known. */
export const OWN_HOST: HostEntry = {
  origin: undefined,
  apiRoot: '/v2',
  capabilities: new Set(['pull', 'resolve', 'push']),
  certificates: NO_CERTIFICATES,
  skipVerify: false,
  headers: {},
  connectMs: undefined,
  proxy: undefined,
};
