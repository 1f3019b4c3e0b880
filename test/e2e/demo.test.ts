import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { TEST_BED_NEEDS } from './support/test-bed.ts';

describe('npm run demo', requires(...TEST_BED_NEEDS), () => {
  it('pulls, runs twice, the second time without a network, and cleans up', async () => {
    const demo = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [demo]);
    expect(stdout).toMatch(/^\$ mydocker pull 127\.0\.0\.1:\d+\/demo\/hello\n/m);
    expect(stdout).toMatch(/^\$ mydocker run --rm \S+ \/bin\/echo hey\nhey\n/m);
    expect(stdout).toMatch(/^\$ mydocker run --rm \S+ \/bin\/sh -c '\/bin\/ls \/'\nbin\n/m);
    expect(stdout).toMatch(
      /^\$ unshare --net mydocker run --rm --pull never \S+ \/bin\/echo 'hey again'\nhey again\n/m,
    );
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('mydocker-demo-'))).toEqual([]);
  });
});
