import { describe, expect, onTestFinished, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import { startProxy } from '../support/registry/index.ts';
import { filesIn, putEverywhere, requests, startMirrored } from './open-mirrored.ts';
import { NAME, memorySink, openClient, startTestRegistry } from './open-repository.ts';

const BLOB = Buffer.from('a blob');

describe('mirrors of a hosts.toml', () => {
  test('are asked in the order of the file, for what they are capable of, and told whose content is wanted', async () => {
    const { upstream, mirrors, open } = await startMirrored({
      mirrors: [{}, {}],
      toml: ([first, second]) => `[host."${first?.url}"]\ncapabilities = ["pull"]\n[host."${second?.url}"]`,
    });
    const digest = putEverywhere([upstream, ...mirrors]);
    const descriptor = upstream.putBlob(NAME, BLOB);
    mirrors.map((mirror) => mirror.putBlob(NAME, BLOB));
    const { repository } = await open();
    expect(await repository.headManifest('v1')).toBe(digest);
    await repository.getManifest('v1');
    await repository.getManifest(digest);
    await downloadBlob({ repository, descriptor, sink: memorySink() });
    const ns = `?ns=${encodeURIComponent(upstream.host)}`;
    expect(mirrors.map(requests)).toEqual([
      [`GET manifests/${digest}${ns}`, `GET blobs/${descriptor.digest}${ns}`],
      [`HEAD manifests/v1${ns}`, `GET manifests/v1${ns}`],
    ]);
    expect(upstream.log).toEqual([]);
  });

  test('a server takes the place of the registry', async () => {
    const { upstream, mirrors, open } = await startMirrored({ toml: ([mirror]) => `server = "${mirror?.url}"` });
    putEverywhere([upstream, ...mirrors]);
    mirrors[0]?.faults.add({ path: 'v1', status: 404 });
    const { repository } = await open();
    await expect(repository.getManifest('v1')).rejects.toMatchObject({ code: 'ERR_REGISTRY' });
    await repository.getManifest('v1');
    expect(upstream.log).toEqual([]);
  });

  test('the registry itself is not told that it is meant', async () => {
    const { upstream, open } = await startMirrored({ mirrors: [], toml: (_, { url }) => `server = "${url}"` });
    putEverywhere([upstream]);
    await (await open()).repository.getManifest('v1');
    expect(requests(upstream)).toEqual(['GET manifests/v1']);
  });

  test('override_path puts a path in the place of /v2', async () => {
    const { mirrors, open } = await startMirrored({
      mirrors: [{}, {}],
      toml: ([first, second]) =>
        `[host."${first?.url}/some/where"]\noverride_path = true\n[host."${second?.url}/team"]`,
    });
    const { repository } = await open();
    await repository.getManifest('v1').catch(() => undefined);
    expect(mirrors.map(({ log }) => log.map(({ path }) => path.replace(/\?.*/, '')))).toEqual([
      [`/some/where/${NAME}/manifests/v1`],
      [`/team/v2/${NAME}/manifests/v1`],
    ]);
  });

  test.each(['', 'server = "https://docker.io"\n', 'server = "https://registry-1.docker.io"\n'])(
    'of Docker Hub are asked for docker.io, and it is still docker.io to the user (%j)',
    async (server) => {
      const mirror = await startTestRegistry();
      const proxy = await startProxy({ routes: {} });
      onTestFinished(async () => proxy.close());
      const { client } = openClient({
        hostsFolders: [await filesIn({ 'docker.io/hosts.toml': `${server}[host."${mirror.url}"]` })],
        proxy: { https: proxy.url },
        retryPolicy: { maxAttempts: 1 },
      });
      await expect(client.repository(parseReference('alpine')).getManifest('3')).rejects.toMatchObject({
        message: expect.stringMatching(
          /^mirror 127.*\nCannot pull "alpine:3": registry-1\.docker\.io cannot be/,
        ) as string,
      });
      expect(mirror.log.map(({ path }) => path)).toEqual(['/v2/library/alpine/manifests/3?ns=docker.io']);
      expect(proxy.log.map(({ line }) => line)).toEqual(['CONNECT registry-1.docker.io:443']);
    },
  );

  test('R67 a proxy is for its host, whatever the environment says', async () => {
    const mirror = await startTestRegistry();
    const proxy = await startProxy({ routes: { 'mirror.example:80': mirror.host } });
    onTestFinished(async () => proxy.close());
    const login = proxy.url.replace('//', '//user:secret@');
    const { upstream, open } = await startMirrored({
      mirrors: [],
      toml: () => `[host."http://mirror.example"]\nproxy = "${login}"`,
    });
    putEverywhere([upstream, mirror]);
    const { repository } = await open({ proxy: { http: 'http://127.0.0.1:1', noProxy: '*' } });
    await repository.getManifest('v1');
    expect(proxy.log.map(({ authorization }) => authorization)).toEqual(['Basic dXNlcjpzZWNyZXQ=']);
    expect(mirror.log.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined]);
    expect(upstream.log).toEqual([]);
  });

  test('a file that cannot be used stops the pull: a mirror may be there to keep the registry from being asked', async () => {
    const { upstream, open } = await startMirrored({ toml: () => 'server = 5' });
    const { repository } = await open();
    for (const work of [repository.getManifest('v1'), repository.headManifest('v1'), repository.blobHosts()]) {
      await expect(work).rejects.toMatchObject({
        code: 'ERR_HOST',
        message: expect.stringMatching(/^Cannot use ".*hosts\.toml": server is 5, a string was wanted$/) as string,
      });
    }
    expect(upstream.log).toEqual([]);
  });

  test('says so when no host is capable', async () => {
    const { upstream, open } = await startMirrored({
      toml: (_, { url }) => `server = "${url}"\ncapabilities = ["push"]`,
      mirrors: [],
    });
    await expect((await open()).repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(
        /^Cannot pull ".*": ".*hosts\.toml" names no host with the capability "resolve"$/,
      ) as string,
    });
    expect(upstream.log).toEqual([]);
  });
});

describe('folders of hosts.toml', () => {
  /** What `registry` is asked by, of several mirrors called after their folder. */
  async function choose(
    folders: string[][],
    registry: (port: string) => string = (port) => `localhost:${port}`,
  ): Promise<string> {
    const upstream = await startTestRegistry();
    const port = upstream.host.replace(/.*:/, '');
    const names = folders.flat();
    const mirrors = await Promise.all(names.map(async () => startTestRegistry()));
    const hostsFolders = await Promise.all(
      folders.map(async (inside) =>
        filesIn(
          Object.fromEntries(
            inside.map((name) => [
              `${name.replace('PORT', port).replace(/=.*/, '')}/hosts.toml`,
              `server = "${mirrors[names.indexOf(name)]?.url}"`,
            ]),
          ),
        ),
      ),
    );
    putEverywhere([upstream, ...mirrors]);
    const { client } = openClient({ hostsFolders: ['/nonexistent', ...hostsFolders] });
    await client.repository(parseReference(`${registry(port)}/${NAME}`)).getManifest('v1');
    const asked = [upstream, ...mirrors].map(({ log }) => log.length > 0);
    return ['upstream', ...names].filter((_, index) => asked[index]).join();
  }

  test.each<[string[][], string]>([
    [[[]], 'upstream'],
    [[['localhost']], 'upstream'],
    [[['localhost_PORT']], 'upstream'],
    [[['localhost:PORT', '_default']], 'localhost:PORT'],
    [[['localhost:PORT', 'localhost_PORT_', '_default']], 'localhost_PORT_'],
    [[['localhost', '_default']], '_default'],
    [[['localhost:PORT=user'], ['localhost_PORT_=system']], 'localhost:PORT=user'],
    [[['other=user'], ['localhost_PORT_=system']], 'localhost_PORT_=system'],
    [[['_default=user'], ['localhost_PORT_=system']], '_default=user'],
  ])('of %j takes %s', async (folders, expected) => {
    expect(await choose(folders)).toBe(expected);
  });

  test('the name of a registry counts without regard to case', async () => {
    expect(await choose([['localhost:PORT']], (port) => `LOCALHOST:${port}`)).toBe('localhost:PORT');
  });
});
