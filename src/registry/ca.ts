import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** PEM texts, each with one certificate or several. */
export type CertificateSource = () => Promise<string[] | undefined>;

const MAX_FOLDER_FILES = 1000;

/**
 * Which authorities to trust, by SSL_CERT_FILE, SSL_CERT_DIR (folders between colons) and NODE_EXTRA_CA_CERTS:
 * Node's own roots and what these name. The files are read when the answer is asked for, which nobody does who
 * needs no TLS. It gives undefined if no variable is set: Node's own roots.
 * Throws ERR_HOST for a file that cannot be read.
 */
export function certificatesFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): CertificateSource {
  const files = [environment['SSL_CERT_FILE'], environment['NODE_EXTRA_CA_CERTS']].filter(isSet);
  const folders = (environment['SSL_CERT_DIR'] ?? '').split(':').filter(isSet);
  return async () => {
    if (files.length === 0 && folders.length === 0) return undefined;
    const texts = [...(await Promise.all(files.map(readPem))), ...(await Promise.all(folders.map(readFolder))).flat()];
    return [...rootCertificates, ...texts];
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ToolError('ERR_HOST', `Cannot read certificates from "${printable(path)}": ${reason(error)}`, {
      hint: 'SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS name such files.',
      cause: error,
    });
  }
}

/** Certificate folders hold hash links and other files: what is not PEM is passed over, and so is what cannot be read. */
async function readFolder(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  const texts = await Promise.all(
    names.slice(0, MAX_FOLDER_FILES).map(async (name) => readFile(join(path, name), 'utf8').catch(() => '')),
  );
  return [...new Set(texts.filter((text) => text.includes('-----BEGIN CERTIFICATE-----')))];
}

function reason(error: unknown): string {
  return printable(error instanceof Error && 'code' in error ? String(error.code) : String(error));
}
