// The long versions of the tests, which go through more cases and more points of failure than a normal run has time for.
//   node scripts/soak.mjs [FILTER...]                 all test files, or those whose path contains a FILTER
//   MYDOCKER_SEED=N node scripts/soak.mjs [FILTER...] with the seed that an earlier run printed
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const seed = process.env.MYDOCKER_SEED ?? String(randomInt(2 ** 31));
console.log(`soak: MYDOCKER_SEED=${seed}`);

const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    cwd: root,
    env: { ...process.env, MYDOCKER_SOAK: '1', MYDOCKER_SEED: seed },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
