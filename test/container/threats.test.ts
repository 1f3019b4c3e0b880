import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DEFAULT_SECURITY } from '../../src/container/parse-security.ts';
import { machineOf } from '../../src/linux/machine.ts';
import { syscallTable } from '../../src/linux/seccomp/syscall-tables.ts';
import { requires } from '../support/requirements.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { buildPreload, buildProbe } from './support/build-probe.ts';
import { CALLERS } from './support/callers.ts';

const UNFILTERED = { ...DEFAULT_SECURITY, seccomp: 'unconfined' } as const;

/** A script whose interpreter is what executes it. */
function layEntry(tree: string): void {
  writeFileSync(join(tree, 'entry'), '#!/proc/self/exe\n', { mode: 0o755 });
}

// Rows of the threats that a hostile process in a container is. Those that another file has carry their ID there.
for (const { caller, needs } of CALLERS) {
  describe(`a hostile process in a container of ${caller}`, { ...needs, ...requires('cc') }, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller, [layBusybox, buildProbe, layEntry, buildPreload]);
    });
    afterAll(() => box.remove());

    it('threat C1 X14 does not leave its root by a root inside the root', async () => {
      const { stdout } = await box.run(['/probe', 'escape'], { options: { security: UNFILTERED } });
      const found = stdout.trim().split(' ');
      expect(found[0]).toBe('ok');
      const names = new Set(box.trees.flatMap((tree) => readdirSync(tree)));
      expect(found.slice(1).toSorted()).toEqual([...names, 'jail'].toSorted());
    });

    it.each(['/proc/self/exe', '/proc/1/exe', '/entry'])(
      "threat C3 X16 gets no hold of a host's program with the command %s",
      async (command) => {
        await box.run(['true']); // the runner is there from now on
        const [runner = ''] = readdirSync(box.paths.runner).filter((name) => name.startsWith('runner-'));
        const path = join(box.paths.runner, runner);
        const before = readFileSync(path);
        await box.run([command, '-c', 'echo x > /proc/self/exe']);
        const inside = 'for p in /proc/[0-9]*; do (echo x > $p/exe) 2>/dev/null && echo $p; readlink $p/exe; done';
        const { stdout } = await box.run(['sh', '-c', inside]);
        expect(stdout).toBe('/bin/busybox\n');
        expect(readFileSync(path).equals(before)).toBe(true);
      },
    );

    it('B8 X36 has run nothing of its image before the last rights were gone', async () => {
      const started = await box.run(['cat', '/marker']); // a static program, which loads nothing
      expect(started.stdout).toBe('');
      const { stdout } = await box.run(['sh', '-c', '/dynamic; cat /marker']);
      expect(stdout).toBe('CapEff:\t00000000a80425fb\n');
    });

    it('threat C10 X30 has a session keyring of its own', async () => {
      const [GET_KEYRING_ID, SESSION] = ['0', '0xfffffffffffffffd'];
      const words = ['call', String(syscallTable(machineOf(process.arch)).get('keyctl')), GET_KEYRING_ID, SESSION];
      const outside = execFileSync(join(box.trees[1] ?? '', 'probe'), words, { encoding: 'utf8' });
      const { stdout } = await box.run(['/probe', ...words], { options: { security: UNFILTERED } });
      expect(stdout).toMatch(/^ok \d+\n$/);
      expect(stdout).not.toBe(outside);
    });

    it('threat C14 X22 reaches no abstract socket of the host from a network of its own', async () => {
      const name = `mydocker-test-${process.pid}-${caller}`;
      const server = createServer().listen(`\0${name}`);
      await once(server, 'listening');
      try {
        const { stdout } = await box.run(['/probe', 'connect', name], { options: { network: 'none' } });
        expect(stdout).toBe('ECONNREFUSED\n');
        const host = await box.run(['/probe', 'connect', name], { options: { network: 'host' } });
        expect(host.stdout).toBe('ok 0\n'); // the same socket is there: it is the network that keeps it away
      } finally {
        server.close();
      }
    });

    it('threat C15 is not listened to: what it prints passes on byte for byte', async () => {
      const { stdout } = await box.run(['printf', '\\033]0;title\\007\\033[2J\\r\\n\\000\\001end']);
      expect(stdout).toBe('\u001b]0;title\u0007\u001b[2J\r\n\0\u0001end');
    });
  });
}
