import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { startDistribution, type Distribution } from './support/distribution.ts';
import { execute } from './support/execute.ts';
import { startRecordingProxy, type RecordingProxy } from './support/recording-proxy.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe('mydocker pull', requires(...TEST_BED_NEEDS), () => {
  let home: CliHome;
  let proxy: RecordingProxy;

  beforeEach(async () => {
    home = openCliHome();
    proxy = await startRecordingProxy(testBed().registry);
  });

  afterEach(async () => {
    await proxy.stop();
    home.remove();
  });

  it('prints what docker prints', async () => {
    const pulled = await home.mydocker(['pull', `${proxy.host}/library/busybox`]);
    expect(pulled.stderr).toBe('');
    expect(pulled.code).toBe(0);
    const lines = pulled.stdout.trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual(['Using default tag: latest', 'latest: Pulling from library/busybox']);
    expect(lines.filter((line) => /^[0-9a-f]{12}: Pull complete$/.test(line))).toHaveLength(1);
    expect(lines.slice(-3)).toEqual([
      `Digest: ${digestOf('library/busybox:latest')}`,
      `Status: Downloaded newer image for ${proxy.host}/library/busybox:latest`,
      `${proxy.host}/library/busybox:latest`,
    ]);
  });

  it('prints only the canonical reference with -q', async () => {
    const pulled = await home.mydocker(['pull', '-q', `${proxy.host}/library/busybox`]);
    expect(pulled).toEqual({ code: 0, stderr: '', stdout: `${proxy.host}/library/busybox:latest\n` });
  });

  it('costs one request for the manifest the second time', async () => {
    await home.mydocker(['pull', `${proxy.host}/library/busybox:latest`]);
    proxy.requests.length = 0;
    const again = await home.mydocker(['pull', `${proxy.host}/library/busybox:latest`]);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`Status: Image is up to date for ${proxy.host}/library/busybox:latest\n`);
    expect(again.stdout).not.toContain('Pull complete');
    // On loopback a request for /v2/ tells HTTP from HTTPS; elsewhere it is always HTTPS, and nothing is asked.
    const requests = proxy.requests.filter(({ url }) => url !== '/v2/');
    expect(requests.map(({ url }) => url)).toEqual(['/v2/library/busybox/manifests/latest']);
  });

  it('pulls by digest, and names the image by it', async () => {
    const digest = digestOf('library/busybox:latest');
    const reference = `${proxy.host}/library/busybox@${digest}`;
    const pulled = await home.mydocker(['pull', reference]);
    expect(pulled.code).toBe(0);
    expect(pulled.stdout.split('\n')[0]).toBe(`${reference}: Pulling from library/busybox`);
    expect(pulled.stdout).toContain(
      `Digest: ${digest}\nStatus: Downloaded newer image for ${reference}\n${reference}\n`,
    );
    const again = await home.mydocker(['pull', reference]);
    expect(again.stdout).toContain(`Status: Image is up to date for ${reference}\n`);
  });

  it('stores the bytes of every blob under their digest', async () => {
    await home.mydocker(['pull', `${proxy.host}/test/layered:gzip`]);
    const folder = join(home.store, 'blobs/sha256');
    const blobs = readdirSync(folder);
    expect(blobs).toHaveLength(8); // manifest, config, six layers
    const sums = execute('sha256sum', blobs, { cwd: folder }).trimEnd().split('\n');
    expect(sums).toEqual(blobs.map((blob) => `${blob}  ${blob}`));
    expect(readdirSync(join(home.store, 'ingest'))).toEqual([]);
    expect(statSync(home.store).mode & 0o777).toBe(0o700);
  });

  it('pulls a Docker schema 2 image', async () => {
    const pulled = await home.mydocker(['pull', '-q', `${proxy.host}/library/busybox:1.0`]);
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
  });

  it('resumes the layer that a killed pull had begun', async () => {
    proxy.holdBlobsAfter(8_000_000);
    const killed = home.start(['pull', `${proxy.host}/library/debian`]);
    await proxy.held();
    // What the registry sent is on its way to the disk: wait until a good part of it has arrived there.
    await expect.poll(() => ingestedBytes(home), { timeout: 30_000 }).toBeGreaterThan(1_000_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect((await home.mydocker(['images', '-q'])).stdout).toBe('');
    proxy.release();
    proxy.requests.length = 0;

    const resumed = await home.mydocker(['pull', `${proxy.host}/library/debian`]);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    const ranges = proxy.requests.filter(({ range, status }) => range !== undefined && status === 206);
    expect(ranges).toHaveLength(1);
    expect(Number(/^bytes=(\d+)-/.exec(ranges[0]?.range ?? '')?.[1])).toBeGreaterThan(1_000_000);
    const ran = await home.mydocker(['run', '--rm', `${proxy.host}/library/debian`, 'cat', '/etc/debian_version']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  it('R70 downloads a blob once for two that want it at the same time', async () => {
    proxy.holdBlobsAfter(10_000);
    const first = home.start(['pull', `${proxy.host}/library/busybox`]);
    await proxy.held();
    const second = home.start(['pull', `${proxy.host}/library/busybox`]);
    await second.says('Pulling from library/busybox');
    proxy.release();
    for (const { ended } of [first, second]) expect(await ended).toMatchObject({ code: 0, stderr: '' });
    const blobs = proxy.requests.flatMap(({ url }) => (url.includes('/blobs/') ? [url] : []));
    expect(blobs.length).toBeGreaterThan(1);
    expect(new Set(blobs).size).toBe(blobs.length);
    expect((await home.mydocker(['images', '-q'])).stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  it('chooses the platform of the machine, and the one that --platform names', async () => {
    const reference = `${proxy.host}/test/multi`;
    expect(await home.mydocker(['pull', '-q', '--platform', 'linux/arm64', reference])).toMatchObject({
      code: 0,
      stderr: '',
    });
    const arm = await platformOf(home, reference);
    expect(arm).toBe('arm64');
    expect(await home.mydocker(['pull', '-q', '--platform', 'linux/amd64', reference])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await platformOf(home, reference)).toBe('amd64');
  });

  it('says which platforms an index has where none fits', async () => {
    const pulled = await home.mydocker(['pull', '--platform', 'linux/s390x', `${proxy.host}/test/multi`]);
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toContain('no matching manifest for linux/s390x in the manifest list entries');
  });

  it.each([
    [
      'a tag that is not there',
      'library/busybox:nope',
      /manifest for .*library\/busybox:nope not found: manifest unknown/,
    ],
    ['a repository that is not there', 'nobody/nothing', /not found|pull access denied for/],
    ['an upper-case name', 'Library/Busybox', /repository name must be lower ?case/i],
    ['an empty tag', 'library/busybox:', /tag .*is empty/i],
  ])('fails with exit code 1 and says why: %s', async (_, name, message) => {
    const pulled = await home.mydocker(['pull', `${proxy.host}/${name}`]);
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toMatch(message);
    expect(pulled.stderr).not.toMatch(/\n {4}at /); // no stack
  });

  it('fails where no registry listens, and leaves no name', async () => {
    const { host } = proxy;
    await proxy.stop();
    const pulled = await home.mydocker(['pull', `${host}/library/busybox`], { env: { MYDOCKER_RETRIES: '0' } });
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toMatch(/ECONNREFUSED|connection refused/i);
    expect((await home.mydocker(['images', '-q'])).stdout).toBe('');
    proxy = await startRecordingProxy(testBed().registry);
  });
});

describe('mydocker pull with credentials', requires(...TEST_BED_NEEDS), () => {
  const user = 'alice';
  const password = 'secret';
  const htpasswd = `${user}:$2b$05$E0KQQ5u.LQdtyAAssoP/juDj8uFYiwEiZlwYSQTr8hSoygP/hbxAG\n`;
  let home: CliHome;
  let registry: Distribution;

  beforeEach(async () => {
    home = openCliHome();
    registry = await startDistribution({ storage: testBed().storage, htpasswd });
  });

  afterEach(async () => {
    await registry.stop();
    home.remove();
  });

  it('answers a Basic challenge with what DOCKER_CONFIG holds', async () => {
    await writeDockerConfig(home, registry.host, `${user}:${password}`);
    const pulled = await pull();
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
  });

  it('fails without credentials', async () => {
    const pulled = await pull();
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toMatch(/pull access denied|no basic auth credentials|unauthorized/i);
  });

  it('fails with wrong credentials, and does not print them', async () => {
    await writeDockerConfig(home, registry.host, `${user}:wrong-password`);
    const pulled = await pull();
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toMatch(/pull access denied|unauthorized/i);
    expect(pulled.stderr + pulled.stdout).not.toContain('wrong-password');
  });

  async function pull(): ReturnType<CliHome['mydocker']> {
    const env = { DOCKER_CONFIG: join(home.folder, 'docker') };
    return home.mydocker(['pull', '-q', `${registry.host}/library/busybox`], { env });
  }
});

/** Asks the registry itself: the proxy is in this process, which waits for skopeo and answers nobody. */
function digestOf(name: string): string {
  const reference = `docker://${testBed().registry}/${name}`;
  return execute('skopeo', ['inspect', '--tls-verify=false', '--format={{.Digest}}', reference]).trim();
}

function ingestedBytes(home: CliHome): number {
  const folder = join(home.store, 'ingest');
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return Math.max(0, ...sizes);
}

async function platformOf(home: CliHome, reference: string): Promise<string> {
  const listed = await home.mydocker(['images', '--no-trunc', '-q', reference]);
  const config = readFileSync(join(home.store, 'blobs', listed.stdout.trim().replace(':', '/')), 'utf8');
  return (JSON.parse(config) as { architecture: string }).architecture;
}

async function writeDockerConfig(home: CliHome, host: string, credentials: string): Promise<void> {
  await mkdir(join(home.folder, 'docker'));
  const auths = { [host]: { auth: Buffer.from(credentials).toString('base64') } };
  writeFileSync(join(home.folder, 'docker/config.json'), JSON.stringify({ auths }), { mode: 0o600 });
}
