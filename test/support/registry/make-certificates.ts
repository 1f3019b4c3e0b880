import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export interface ServerCertificate {
  key: string;
  cert: string;
}

export interface Certificates {
  /** The authority that signed all of them; PEM. */
  ca: string;
  /** For localhost, 127.0.0.1, ::1 and the names given. */
  good: ServerCertificate;
  /** For another name. */
  wrongHost: ServerCertificate;
  expired: ServerCertificate;
}

/** Makes an authority and three certificates, good for a day; undefined where there is no `openssl`. */
export function makeCertificates(names: string[] = []): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-tls-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const sign = (name: string, ...life: string[]): void =>
    openssl(
      'x509',
      '-req',
      '-in',
      'csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
      '-out',
      name,
      ...life,
    );
  const issue = (subjectAltName: string, ...lives: string[][]): ServerCertificate => {
    openssl(
      'req',
      ...newKey,
      '-keyout',
      'key',
      '-out',
      'csr',
      '-subj',
      '/CN=test',
      '-addext',
      `subjectAltName=${subjectAltName}`,
    );
    attempt(lives.map((life) => () => sign('crt', ...life)));
    return { key: read('key'), cert: read('crt') };
  };
  try {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '1',
      '-subj',
      '/CN=Test authority',
    );
    const hosts = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1', ...names.map((name) => `DNS:${name}`)].join(',');
    const past = ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z']; // OpenSSL 3.4 and newer
    return {
      ca: read('ca.crt'),
      good: issue(hosts, ['-days', '1']),
      wrongHost: issue('DNS:elsewhere.example', ['-days', '1']),
      expired: issue(hosts, past, ['-days', '-1']),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the first of `ways` that does not throw. */
function attempt(ways: Array<() => void>): void {
  const [first, ...others] = ways;
  try {
    first?.();
  } catch (error) {
    if (others.length === 0) throw error;
    attempt(others);
  }
}
