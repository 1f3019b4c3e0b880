import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { openCliHome, type CliHome } from '../support/cli-home.ts';
import { startDistribution } from '../support/distribution.ts';
import { makeCertificate } from '../support/make-certificate.ts';
import { testBed, TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)(
  'the image of a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users', 'openssl'),
  ({ user }) => {
    let home: CliHome;
    beforeAll(() => {
      home = openCliHome(user);
    });
    afterAll(() => home.remove());
    const named = (name: string): string => `${testBed().registry}/${name}`;

    it('--pull says whether the registry is asked: never, missing or always', async () => {
      const image = named('shared/one');
      const never = await home.mydocker(['run', '--rm', '--pull', 'never', image, 'true']);
      expect(never).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(/No such image: .*shared\/one/) as string,
      });
      const missing = await home.mydocker(['run', '--rm', '--pull=missing', image, 'cat', '/one']);
      expect(missing).toMatchObject({ code: 0, stdout: 'one' });
      expect(missing.stderr).toMatch(/^Unable to find image .* locally\n[^]*Status: Downloaded newer image/);
      const again = await home.mydocker(['run', '--rm', '--pull', 'always', image, 'cat', '/one']);
      expect(again).toMatchObject({
        code: 0,
        stdout: 'one',
        stderr: expect.stringMatching(/Status: Image is up to date/) as string,
      });
      expect(await home.mydocker(['run', '--rm', '--pull', 'never', image])).toMatchObject({ code: 0, stderr: '' });
      const nonsense = await home.mydocker(['run', '--pull', 'x', image]);
      expect(nonsense.code).toBe(125);
      expect(nonsense.stderr).toMatch(/invalid pull option: 'x': must be one of "always", "missing" or "never"/);
    });

    it('--quiet says nothing about the pull', async () => {
      const quiet = await home.mydocker(['run', '--rm', '--quiet', named('shared/two'), 'cat', '/two']);
      expect(quiet).toEqual({ code: 0, stdout: 'two', stderr: '' });
    });

    it('--platform chooses one of several, and refuses what is not there', async () => {
      const image = named('test/multi');
      const args = ['run', '--rm', '-q', '--platform'];
      const arm = await home.mydocker([...args, 'linux/arm64', image, 'cat', '/platform']);
      expect(arm).toMatchObject({ code: 0, stdout: 'arm64\n' }); // its programs are this machine's: see build-images.ts
      const amd = await home.mydocker([...args, 'linux/amd64', image, 'cat', '/platform']);
      expect(amd).toMatchObject({ code: 0, stdout: 'amd64\n' });
      const other = await home.mydocker([...args, 'linux/s390x', image, 'true']);
      expect(other).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(/no matching manifest for linux\/s390x/) as string,
      });
    });

    it('--offline asks no registry, also where one is wanted', async () => {
      const absent = await home.mydocker(['run', '--rm', '--offline', named('test/layered:gzip'), 'true']);
      expect(absent).toMatchObject({ code: 125, stderr: expect.stringMatching(/offline/i) as string });
      const image = named('library/busybox');
      expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0 });
      const there = await home.mydocker(['run', '--rm', '--offline', image, 'echo', 'there']);
      expect(there).toEqual({ code: 0, stdout: 'there\n', stderr: '' });
    });

    it('--insecure-registry takes any certificate of that registry', async () => {
      const tls = makeCertificate(home.folder, 'unknown');
      const registry = await startDistribution({ storage: testBed().storage, tls });
      onTestFinished(async () => registry.stop());
      const args = ['--rm', '-q', `${registry.host}/library/busybox`, 'echo', 'there'];
      const refused = await home.mydocker(['run', '--insecure-registry', 'other.example', ...args]);
      expect(refused).toMatchObject({ code: 125, stderr: expect.stringMatching(/certificate/i) as string });
      const ran = await home.mydocker(['run', '--insecure-registry', registry.host, ...args]);
      expect(ran).toEqual({ code: 0, stdout: 'there\n', stderr: '' });
    });

    it('--rm leaves nothing behind, without it the container is listed', async () => {
      const image = named('library/busybox');
      expect(await home.mydocker(['run', '--rm', image, 'touch', '/x'])).toMatchObject({ code: 0, stderr: '' });
      expect(readdirSync(join(home.store, 'containers'), { recursive: true })).toEqual(['names']);
      expect(await home.mydocker(['run', '--rm=false', '--name', 'kept', image, 'touch', '/x'])).toMatchObject({
        code: 0,
      });
      expect((await home.mydocker(['ps', '-a', '--format', '{{.Names}}'])).stdout).toBe('kept\n');
      expect(await home.mydocker(['rm', 'kept'])).toMatchObject({ code: 0 });
    });
  },
);
