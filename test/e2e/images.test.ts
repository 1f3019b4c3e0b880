import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)(
  'mydocker images and rmi as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    let home: CliHome;
    let one: string;
    let two: string;

    beforeEach(async () => {
      home = openCliHome(user);
      one = `${testBed().registry}/shared/one`;
      two = `${testBed().registry}/shared/two`;
      for (const name of [one, two])
        expect(await home.mydocker(['pull', '-q', name])).toMatchObject({ code: 0, stderr: '' });
    });

    afterEach(() => home.remove());

    it('lists a table', async () => {
      const { stdout } = await home.mydocker(['images']);
      const [head, ...rows] = stdout.trimEnd().split('\n');
      expect(head).toMatch(/^REPOSITORY {3,}TAG {3,}IMAGE ID {3,}CREATED {3,}SIZE$/);
      expect(rows).toHaveLength(2);
      for (const row of rows)
        expect(row).toMatch(/^127\.0\.0\.1:\d+\/shared\/(one|two) +latest +[0-9a-f]{12} +.+ ago +[0-9.]+[kM]B$/);
    });

    it('lists ids, digests and formats', async () => {
      const ids = (await home.mydocker(['images', '-q'])).stdout.trimEnd().split('\n');
      expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), expect.stringMatching(/^[0-9a-f]{12}$/)]);
      const full = await home.mydocker(['images', '-q', '--no-trunc', one]);
      expect(full.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
      const digests = await home.mydocker(['images', '--digests', one]);
      expect(digests.stdout).toMatch(/ DIGEST +IMAGE ID .*\n.* sha256:[0-9a-f]{64} /);
      const formatted = await home.mydocker(['images', '--format', '{{.Repository}}:{{.Tag}}']);
      expect(formatted.stdout.trimEnd().split('\n').toSorted()).toEqual([`${one}:latest`, `${two}:latest`]);
      const json = (await home.mydocker(['images', '--format', 'json', two])).stdout;
      expect(JSON.parse(json)).toMatchObject({ Repository: two, Tag: 'latest', Containers: 'N/A' });
    });

    it('filters by name', async () => {
      const filtered = await home.mydocker([
        'images',
        '--filter',
        'reference=*/shared/t*',
        '--format',
        '{{.Repository}}',
      ]);
      expect(filtered.stdout).toBe(`${two}\n`);
      const nothing = await home.mydocker(['images', 'nothing', '-q']);
      expect(nothing).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('removes an image and what no other needs', async () => {
      const layersBefore = readdirSync(join(home.store, 'layers')).length;
      const removed = await home.mydocker(['rmi', one]);
      expect(removed).toMatchObject({ code: 0, stderr: '' });
      expect(removed.stdout).toContain(`Untagged: ${one}:latest\n`);
      expect(removed.stdout).toMatch(/^Deleted: sha256:[0-9a-f]{64}$/m);
      expect(readdirSync(join(home.store, 'layers'))).toHaveLength(layersBefore - 1);
      const still = await home.mydocker(['run', '--rm', '--pull', 'never', two, 'cat', '/two']);
      expect(still).toEqual({ code: 0, stdout: 'two', stderr: '' });
      expect((await home.mydocker(['run', '--rm', '--pull', 'never', one, 'true'])).code).toBe(125);
    });

    it('removes by short id, and leaves an empty store after the last', async () => {
      const ids = (await home.mydocker(['images', '-q'])).stdout.trimEnd().split('\n');
      expect(await home.mydocker(['rmi', ...ids])).toMatchObject({ code: 0, stderr: '' });
      expect((await home.mydocker(['images', '-q'])).stdout).toBe('');
      for (const folder of ['blobs/sha256', 'layers', 'ingest', 'trash', 'containers', 'leases']) {
        expect([folder, readdirSync(join(home.store, folder))]).toEqual([folder, []]);
      }
    });

    it('says what is not there, goes on, and is calm about it with -f', async () => {
      const missing = await home.mydocker(['rmi', 'nope', one]);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('No such image: nope:latest');
      expect(missing.stdout).toContain(`Untagged: ${one}:latest`);
      const forced = await home.mydocker(['rmi', '-f', 'nope']);
      expect(forced.code).toBe(0);
      expect(forced.stderr).toContain('No such image: nope:latest');
    });

    it('refuses to remove what a container uses', async () => {
      expect(await home.mydocker(['run', '--name', 'user', one, 'true'])).toMatchObject({ code: 0, stderr: '' });
      const id = (await home.mydocker(['images', '-q', one])).stdout.trim();
      const byName = await home.mydocker(['rmi', one]);
      expect(byName.code).toBe(1);
      expect(byName.stderr).toMatch(/conflict: unable to (delete|remove).*\(must (be )?forced?\)/);
      const byId = await home.mydocker(['rmi', id]);
      expect(byId.code).toBe(1);
      expect(byId.stderr).toMatch(
        new RegExp(
          `conflict: unable to delete ${id} \\(must be forced\\) - image is being used by stopped container [0-9a-f]{12}`,
        ),
      );
      expect(await home.mydocker(['rm', 'user'])).toMatchObject({ code: 0, stderr: '' });
      expect(await home.mydocker(['rmi', one])).toMatchObject({ code: 0, stderr: '' });
    });

    it('refuses even with -f while the container runs', async () => {
      const running = home.start(['run', '--rm', '--name', 'busy', one, 'sh', '-c', 'echo ready; exec sleep 1000']);
      await running.says('ready');
      const id = (await home.mydocker(['images', '-q', one])).stdout.trim();
      const refused = await home.mydocker(['rmi', '-f', id]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/\(cannot be forced\) - image is being used by running container [0-9a-f]{12}/);
      expect(await home.mydocker(['rm', '-f', 'busy'])).toMatchObject({ code: 0, stderr: '' });
      await running.ended;
    });
  },
);
