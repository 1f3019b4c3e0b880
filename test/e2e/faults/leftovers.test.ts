import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds, seed } from '../../support/soak.ts';
import { SUBID_USER } from '../../support/test-users.ts';
import { diffTrees } from '../../support/tree-listing.ts';
import { startFaultRegistry } from './fault-registry.ts';
import { CALL_KINDS, FAULT_NEEDS, runFaulty } from './faulty-run.ts';
import { collectGarbage, succeed } from './operations.ts';
import { storeState } from './store-state.ts';
import { openHome } from './sweep.ts';

describe('a store in which one command after the other was killed', requires(...FAULT_NEEDS), () => {
  it.each([
    ['root', undefined],
    ['a user with subordinate ids', SUBID_USER],
  ])(
    'S21 I9 F7 after rmi of everything is what it was when it was new, as %s',
    async (_, user) => {
      const images = await startFaultRegistry();
      onTestFinished(async () => images.close());
      const home = openHome(user);
      await succeed(home, ['pull', '-q', images.v1]);
      await succeed(home, ['run', '--rm', images.v1, 'true']);
      await succeed(home, ['rmi', images.v1]);
      const wanted = storeState(home.store);
      const commands = [
        ['pull', '-q', images.v1],
        ['run', '--rm', '--name', 'box', images.v1, 'true'],
        ['pull', '-q', images.v2],
        ['run', '--rm', images.v2, 'true'],
        ['rmi', images.v1],
      ];
      let next = seed;
      for (let round = 0; round < rounds(15, 100); round += 1) {
        next = (next * 1_103_515_245 + 12_345) % 2 ** 31; // the example of a generator in the C standard
        const args = commands[round % commands.length] ?? [];
        await runFaulty(home, args, { kinds: CALL_KINDS, at: 1 + (next % 150), effect: 'kill' });
      }
      const names = (await succeed(home, ['images', '--format', '{{.Repository}}:{{.Tag}}'])).trim().split('\n');
      for (const name of names.filter((one) => one !== '')) await succeed(home, ['rmi', name]);
      await succeed(home, ['ps', '-a']);
      await collectGarbage(home, images);
      expect(diffTrees(wanted, storeState(home.store)).filter((line) => !/ingest/.test(line))).toEqual([]);
      // Downloads that stopped halfway are kept for the next pull, one for each blob at most.
      expect(readdirSync(join(home.store, 'ingest')).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
    },
    longTimeout(300_000),
  );
});
