import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { startDistribution, type Distribution } from './support/distribution.ts';
import { execute } from './support/execute.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe('mydocker pull over TLS', requires(...TEST_BED_NEEDS, 'openssl'), () => {
  let folder: string;
  let certificate: string;
  let registry: Distribution;
  let home: CliHome;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-e2e-tls-'));
    certificate = join(folder, 'certificate.pem');
    const key = join(folder, 'key.pem');
    const names = ['-subj', '/CN=test registry', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execute('openssl', ['req', ...kind, '-keyout', key, '-out', certificate, ...names]);
    registry = await startDistribution({ storage: testBed().storage, tls: { certificate, key } });
  });

  afterAll(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    home = openCliHome();
  });

  afterEach(() => home.remove());

  it.each(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])('trusts the authorities in %s', async (variable) => {
    const pulled = await pull({ [variable]: certificate });
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
  });

  it('refuses a certificate of an unknown authority, and says so', async () => {
    const pulled = await pull({}, '--insecure-registry', 'another.example');
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toMatch(/certificate/i);
  });

  it('takes any certificate of an --insecure-registry', async () => {
    const pulled = await pull({}, '--insecure-registry', registry.host);
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
  });

  async function pull(env: Record<string, string>, ...flags: string[]): ReturnType<CliHome['mydocker']> {
    return home.mydocker(['pull', '-q', ...flags, `${registry.host}/library/busybox`], { env });
  }
});
