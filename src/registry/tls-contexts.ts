import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { createSecureContext, rootCertificates } from 'node:tls';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { CertificateSource } from './ca.ts';
import type { HostCertificates } from './host-entry.ts';

export interface TlsSettings {
  /** undefined, or a source that gives undefined: Node's own roots. */
  certificates?: CertificateSource | undefined;
  /** Those of the registry's own host. */
  hostCertificates?: (() => Promise<HostCertificates>) | undefined;
}

/** For a connection; nothing in it: Node's own roots. */
export interface TlsOptions {
  secureContext?: SecureContext;
}

/**
 * The TLS contexts of one registry, each made once and when it is needed: to read some 150 root certificates takes about
 * 45 ms. The registry's own authorities count for the hosts that it refers to as well: behind a registry of a company
 * stands a storage of the company. What we show of ourselves is for its own host alone.
 */
export interface TlsContexts {
  /** Throws ERR_HOST for certificates that cannot be read or used. */
  forHost(isOwn: boolean): Promise<TlsOptions>;
}

export function createTlsContexts(settings: TlsSettings): TlsContexts {
  const made = new Map<boolean, TlsOptions>();
  let material: Promise<Material> | undefined;
  return {
    async forHost(isOwn) {
      material ??= readMaterial(settings);
      const { ca, client } = await material.catch((error: unknown) => {
        material = undefined; // may be mended by the next time
        throw error;
      });
      const withClient = isOwn && client !== undefined;
      const context = made.get(withClient) ?? createContext(ca, withClient ? client : undefined);
      made.set(withClient, context);
      return context;
    },
  };
}

interface Material {
  ca: string[] | undefined;
  client: { cert: string[]; key: string[]; paths: string[] } | undefined;
}

async function readMaterial({ certificates, hostCertificates }: TlsSettings): Promise<Material> {
  const [roots, own] = await Promise.all([certificates?.(), hostCertificates?.()]);
  const { ca = [], client = [] } = own ?? {};
  const authorities = await Promise.all(ca.map(readAuthority));
  const cert = await Promise.all(client.map(async ({ certificate }) => readPem(certificate)));
  const key = await Promise.all(client.map(async (pair) => readPem(pair.key)));
  return {
    ca: authorities.length === 0 ? roots : [...(roots ?? rootCertificates), ...authorities],
    client: client.length === 0 ? undefined : { cert, key, paths: client.map(({ certificate }) => certificate) },
  };
}

function createContext(ca: Material['ca'], client: Material['client']): TlsOptions {
  if (ca === undefined && client === undefined) return {};
  const { cert, key, paths = [] } = client ?? {};
  try {
    return { secureContext: createSecureContext({ ca, cert, key }) };
  } catch (error) {
    throw unusable(paths.join('", "'), error);
  }
}

/** Node passes over what it cannot read among the authorities. */
async function readAuthority(path: string): Promise<string> {
  const text = await readPem(path);
  try {
    void new X509Certificate(text);
    return text;
  } catch (error) {
    throw unusable(path, error);
  }
}

async function readPem(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ToolError('ERR_HOST', `Cannot read the certificate "${printable(path)}": ${printable(code)}`, {
      cause: error,
    });
  });
  if (text.includes('-----BEGIN ')) return text;
  throw unusable(path, 'it is not PEM');
}

function unusable(path: string, problem: unknown): ToolError {
  const reason = problem instanceof Error ? problem.message : String(problem);
  const options = problem instanceof Error ? { cause: problem } : {};
  return new ToolError('ERR_HOST', `Cannot use the certificate "${printable(path)}": ${printable(reason)}`, options);
}
