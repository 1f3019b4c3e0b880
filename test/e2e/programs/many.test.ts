import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { descendantsOf, isAlive } from '../support/process-tree.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

const COUNT = 20;

describe.each(CALLERS)('many containers of $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  const home = useImageHome(user);

  it(`run at once, ${COUNT} of one image, each with files of its own, and leave nothing`, async () => {
    // Each waits for its stdin with its file written, so that all of them run when the first one goes on.
    const script = 'echo "$0" > /marker; echo ready; read line; cat /marker; ls / | grep -c marker; exit 0';
    const numbers = Array.from({ length: COUNT }, (_, number) => String(number));
    const all = numbers.map((number) =>
      home.start(['run', '--rm', '-i', '--name', `one-${number}`, home.image, 'sh', '-c', script, number], {
        stdin: 'open',
      }),
    );
    await Promise.all(all.map(async (one) => one.says('ready')));
    expect((await home.mydocker(['ps', '-q'])).stdout.trimEnd().split('\n')).toHaveLength(COUNT);
    const processes = all.flatMap(({ pid }) => descendantsOf(pid)).map(({ pid }) => pid);
    expect(processes.length).toBeGreaterThanOrEqual(COUNT);

    for (const one of all) one.child.stdin?.end('go on\n');
    const ended = await Promise.all(all.map(async (one) => one.ended));
    expect(ended).toEqual(numbers.map((number) => ({ code: 0, stdout: `ready\n${number}\n1\n`, stderr: '' })));

    expect(processes.filter(isAlive)).toEqual([]);
    expect(readdirSync(join(home.store, 'containers'), { recursive: true })).toEqual(['names']);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(home.store);
    expect((await home.mydocker(['ps', '-a', '-q'])).stdout).toBe('');
  });
});
