import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startProxy, type TestProxy } from '../support/registry/index.ts';
import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome, type Ended } from './support/cli-home.ts';
import { startDistribution, type Distribution } from './support/distribution.ts';
import { makeCertificate } from './support/make-certificate.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

/** Reached by a proxy only. */
const PROXIED = 'registry.example';

describe('mydocker pull over TLS', requires(...TEST_BED_NEEDS, 'openssl'), () => {
  let folder: string;
  let certificate: string;
  let registry: Distribution;
  let home: CliHome;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-e2e-tls-'));
    const made = makeCertificate(folder, 'registry', PROXIED);
    certificate = made.certificate;
    registry = await startDistribution({ storage: testBed().storage, tls: made });
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

  it('shows a registry the certificate that lies in its folder, and says so where none does', async () => {
    const client = makeCertificate(folder, 'client');
    const tls = { ...makeCertificate(folder, 'guarded'), clientcas: [client.certificate] };
    const guarded = await startDistribution({ storage: testBed().storage, tls });
    try {
      const own = join(home.folder, '.config/mydocker/certs.d', guarded.host);
      mkdirSync(own, { recursive: true });
      copyFileSync(tls.certificate, join(own, 'ca.crt'));
      const refused = await home.mydocker(['pull', '-q', `${guarded.host}/library/busybox`]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(`${guarded.host} did not take us without a certificate of our own`);
      copyFileSync(client.certificate, join(own, 'client.cert'));
      copyFileSync(client.key, join(own, 'client.key'));
      const pulled = await home.mydocker(['pull', '-q', `${guarded.host}/library/busybox`]);
      expect(pulled).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await guarded.stop();
    }
  });

  describe('through a proxy', () => {
    const LOGIN = `Basic ${Buffer.from('us er:secret').toString('base64')}`;
    let proxy: TestProxy;

    beforeEach(async () => {
      proxy = await startProxy({ routes: { [`${PROXIED}:443`]: registry.host }, authorization: LOGIN });
    });

    afterEach(async () => proxy.close());

    it('R67 connects by CONNECT, and asks the registry for all the rest', async () => {
      const pulled = await pullProxied(`http://us%20er:secret@${proxy.url.slice('http://'.length)}`);
      expect(pulled).toMatchObject({ code: 0, stderr: '' });
      expect(new Set(proxy.log.map(({ line }) => line))).toEqual(new Set([`CONNECT ${PROXIED}:443`]));
    });

    it.each([
      ['a login that is wrong (407)', PROXIED, 'us%20er:wrong@', 407],
      ['a host that it does not know (502)', 'elsewhere.example', 'us%20er:secret@', 502],
    ])('R67 tells of a refusal because of %s, without the login', async (_reason, host, login, status) => {
      const url = proxy.url.replace('//', `//${login}`);
      const pulled = await pullProxied(url, { MYDOCKER_RETRIES: '0' }, host);
      expect(pulled.code).toBe(1);
      expect(pulled.stderr).toContain(`${host} cannot be reached: the proxy answered ${status}`);
      expect(pulled.stderr).not.toContain('secret');
    });

    it('R67 is passed by for what NO_PROXY names', async () => {
      const pulled = await pullProxied(proxy.url, { NO_PROXY: '.example', MYDOCKER_RETRIES: '0' });
      expect(pulled.code).toBe(1);
      expect(pulled.stderr).toContain(`${PROXIED} cannot be found`);
      expect(proxy.log).toEqual([]);
    });

    async function pullProxied(url: string, env: Record<string, string> = {}, host = PROXIED): Promise<Ended> {
      const settings = { HTTPS_PROXY: url, SSL_CERT_FILE: certificate, ...env };
      return home.mydocker(['pull', '-q', `${host}/library/busybox`], { env: settings });
    }
  });

  async function pull(env: Record<string, string>, ...flags: string[]): ReturnType<CliHome['mydocker']> {
    return home.mydocker(['pull', '-q', ...flags, `${registry.host}/library/busybox`], { env });
  }
});
