import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { longTimeout, rounds } from '../../support/soak.ts';
import type { Box, Run } from '../support/box.ts';
import { describeProbed } from '../support/probed-containers.ts';

const ROUNDS = rounds(4, 300);

/** Places for links of a volume that two containers share, with what the second mounts behind them. */
const RACES: [title: string, target: string][] = [
  ['a path of the host', '{host}'],
  ['a way up to it', '../../../../../../../../..{host}'],
  ['the kernel', '/proc/self'],
];

describeProbed(
  'containers that share a volume',
  (probed) => {
    it.each(RACES)(
      'threat C9 X33 stay inside while one swaps what another mounts upon with a link to %s (CVE-2021-30465, CVE-2024-45310)',
      { timeout: longTimeout(60_000) },
      async (_title, target) => {
        const { box } = probed;
        const host = layRace(box, target);
        const attack = await startSwapping(box);
        try {
          for (let round = 0; round < ROUNDS; round += 1) {
            const command = ['sh', '-c', 'stat -f -c %T /proc /proc/self/attr; cat /shared/place/new/file'];
            const { stdout, failure } = await box.run(command, {
              options: {
                volumes: ['./shared:/shared', './data:/shared/place/new', './data:/shared/place/new/deep/er'],
              },
            });
            // The path may be another one when the command looks: that is no matter of the engine's.
            if (failure === undefined) expect(stdout).toMatch(/^proc\nproc\n/);
            else expect(failure).toMatchObject({ code: 'ERR_CONTAINER' });
            expect(readdirSync(host)).toEqual([]);
          }
        } finally {
          attack.supervisor.kill('SIGKILL');
          await attack.outcome;
        }
        expect(readdirSync(join(box.folder, 'data'))).toEqual(['deep', 'file']);
      },
    );

    it('X33 do not keep each other from starting by it', { timeout: longTimeout(60_000) }, async () => {
      const { box } = probed;
      layRace(box, '/nowhere');
      const attack = await startSwapping(box);
      try {
        for (let round = 0; round < ROUNDS; round += 1) {
          const options = { volumes: ['./data:/up/1/2/3/4', './data:/up/5/6/7/8'] };
          const { stdout, failure } = await box.run(['ls', '/tmp/1/2/3/4', '/tmp/5/6/7/8'], { options });
          expect([failure, stdout]).toEqual([undefined, '/tmp/1/2/3/4:\ndeep\nfile\n\n/tmp/5/6/7/8:\ndeep\nfile\n']);
        }
      } finally {
        attack.supervisor.kill('SIGKILL');
        await attack.outcome;
      }
    });
  },
  [layUpwards],
);

/** A link of which the kernel cannot be sure while anything is renamed. */
function layUpwards(tree: string): void {
  symlinkSync('bin/../tmp/../tmp/../tmp', join(tree, 'up'));
}

/** A folder `place` in a volume, with a link `link` beside it. Answers with the host's folder that the link aims at. */
function layRace(box: Box, target: string): string {
  const [host, shared, data] = ['host', 'shared', 'data'].map((name) => join(box.folder, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [host, shared, data]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    chmodSync(folder, 0o777);
  }
  mkdirSync(join(shared, 'place'));
  chmodSync(join(shared, 'place'), 0o777);
  symlinkSync(target.replace('{host}', host), join(shared, 'link'));
  for (const name of ['deep/er', 'file']) mkdirSync(join(data, name), { recursive: true });
  return host;
}

async function startSwapping(box: Box): Promise<Run> {
  const attack = box.start(['/probe', 'swap', '/shared/place', '/shared/link'], {
    options: { volumes: ['./shared:/shared'] },
  });
  await attack.printed('ready');
  return attack;
}
