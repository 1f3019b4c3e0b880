import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import type { CallOptions } from '../support/cli-home.ts';
import { execute } from '../support/execute.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { succeed } from './operations.ts';
import { openHome } from './sweep.ts';

let images: FaultRegistry;

/** The CLI with a clock that is off by so much, such as `+1d`. */
const at = (offset: string): CallOptions => ({ prefix: ['faketime', '-f', offset] });

describe('commands whose clocks disagree by days', requires(...FAULT_NEEDS, 'faketime'), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it.each([
    ['+1d', '+0d'],
    ['+0d', '+1d'],
    ['-1d', '+1d'],
  ])('S16 I7 pull at %s, and rmi, run and pull at %s: nothing depends on the time', async (first, second) => {
    const home = openHome();
    expect(await home.mydocker(['pull', '-q', images.v1], at(first))).toMatchObject({ code: 0, stderr: '' });
    expect(await home.mydocker(['pull', '-q', images.moving], at(second))).toMatchObject({ code: 0, stderr: '' });
    const script = ['sh', '-c', 'echo ready; read line; cat /data/owned'];
    const running = home.start(['run', '--rm', '-i', images.v1, ...script], { ...at(first), stdin: 'open' });
    await running.says('ready');
    expect(await home.mydocker(['ps', '-q'], at(second))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[0-9a-f]{12}\n$/) as string,
    });
    for (const name of [images.v1, images.moving]) {
      expect(await home.mydocker(['rmi', '-f', name], at(second))).toMatchObject({ code: 0, stderr: '' });
    }
    running.child.stdin?.end('go on\n');
    expect(await running.ended).toEqual({ code: 0, stdout: 'ready\nowned', stderr: '' });
    expect(await succeed(home, ['ps', '-a', '-q'])).toBe('');
  });

  it.each(['+1d', '-1d'])('S16 a clock that jumps by %s in the middle of two pulls does no damage', async (jump) => {
    const home = openHome();
    const clock = join(home.folder, 'clock');
    writeFileSync(clock, '+0d');
    const library = execute('faketime', ['-f', '+0d', 'printenv', 'LD_PRELOAD']).trim();
    const jumping = {
      env: {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    };
    const held = images.hold(images.base, 1000);
    const pulls = [images.v1, images.v2].map((name) => home.start(['pull', '-q', name], jumping));
    await held.asked;
    writeFileSync(clock, jump);
    held.send();
    for (const { ended } of pulls) expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(wrongBlobs(home.store)).toEqual([]);
    expect(await succeed(home, ['run', '--rm', images.v1, 'cat', '/data/owned'])).toBe('owned');
  });
});
