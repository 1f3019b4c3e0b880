import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds } from '../../support/soak.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { succeed } from './operations.ts';
import { brokenPromises } from './store-state.ts';
import { openHome } from './sweep.ts';

let images: FaultRegistry;

// With fewer, Node does not come to its first line; with so many, all works.
const TOO_FEW = 22;
const ENOUGH = 60;

describe('a process that may open few files', requires(...FAULT_NEEDS), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it(
    'S05 EMFILE in pull and run: each works or says what it cannot do, and the next command works',
    async () => {
      let failures = 0;
      for (let limit = TOO_FEW; limit <= ENOUGH; limit += rounds(8, 1)) {
        const home = openHome();
        const few = { prefix: ['prlimit', `--nofile=${limit}:${limit}`] };
        for (const args of [
          ['pull', '-q', images.v1],
          ['run', '--rm', '--name', 'box', images.v1, 'true'],
        ]) {
          const ended = await home.mydocker(args, few);
          expect(ended.code, `${limit}: ${ended.stderr}`).toBeLessThan(128);
          if (ended.code !== 0)
            expect(ended.stderr, String(limit)).toMatch(/(Error|mydocker): Cannot [^\n]+: [^\n]+\n/);
          failures += ended.code === 0 ? 0 : 1;
          expect(wrongBlobs(home.store)).toEqual([]);
          expect(brokenPromises(home.store, new Map())).toEqual([]);
          await succeed(home, args);
        }
        home.remove();
      }
      expect(failures).toBeGreaterThan(0);
    },
    longTimeout(300_000),
  );
});
