import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { certificatesFromEnvironment } from '../../src/registry/ca.ts';
import { makeCertificates } from '../support/registry/index.ts';
import { NAME, openClient, startTestRegistry } from './open-repository.ts';

const certificates = makeCertificates();

describe('certificatesFromEnvironment()', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'mydocker-ca-'));
    onTestFinished(async () => rm(path, { recursive: true }));
    return path;
  }
  const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';

  test('gives nothing when no variable is set, and reads nothing until asked', async () => {
    expect(await certificatesFromEnvironment({ SSL_CERT_FILE: '' })()).toBeUndefined();
    certificatesFromEnvironment({ SSL_CERT_FILE: '/nonexistent' });
  });

  test("adds files and folders to Node's own", async () => {
    const path = await folder();
    await writeFile(join(path, 'one'), `${PEM}1`);
    await writeFile(join(path, 'readme'), 'no certificate');
    await writeFile(join(path, 'extra'), `${PEM}2`);
    const environment = {
      SSL_CERT_FILE: join(path, 'one'),
      SSL_CERT_DIR: `${path}:/nonexistent`,
      NODE_EXTRA_CA_CERTS: join(path, 'extra'),
    };
    const found = (await certificatesFromEnvironment(environment)())!;
    expect(found.length).toBeGreaterThan(100);
    expect(found.slice(-4).sort()).toEqual([`${PEM}1`, `${PEM}1`, `${PEM}2`, `${PEM}2`]);
    expect(found).not.toContain('no certificate');
  });

  test('names a file that cannot be read', async () => {
    await expect(certificatesFromEnvironment({ SSL_CERT_FILE: '/nonexistent/ca' })()).rejects.toMatchObject({
      code: 'ERR_HOST',
      message: 'Cannot read certificates from "/nonexistent/ca": ENOENT',
    });
  });

  test.skipIf(certificates === undefined)(
    'R60 lets a registry be trusted, and is not asked for plain HTTP',
    async () => {
      const path = join(await folder(), 'ca.pem');
      await writeFile(path, certificates!.ca);
      const registry = await startTestRegistry({ tls: certificates!.good });
      registry.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
      const reference = parseReference(`${registry.host}/${NAME}`);
      const pull = async (file: string, from = reference): Promise<unknown> =>
        openClient({ ca: certificatesFromEnvironment({ SSL_CERT_FILE: file }) })
          .client.repository(from)
          .getManifest('v1');
      await pull(path);
      await expect(pull('/nonexistent/ca')).rejects.toMatchObject({ code: 'ERR_HOST' });
      const plain = await startTestRegistry();
      plain.putManifest(NAME, 'v1', Buffer.from('{}'), 'application/json');
      await pull('/nonexistent/ca', parseReference(`${plain.host}/${NAME}`));
    },
  );
});
