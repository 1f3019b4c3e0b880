import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import type { RunOptions } from '../support/box.ts';
import { allOf, answersIn, describeProbed, PRIVILEGED, UNFILTERED } from '../support/probed-containers.ts';

/**
 * Starts the supervisor with descriptors of the root folder from 4 up to 300. Node closes those that it finds at its start, up to the first
 * gap, when it executes something; what is above the gap has to be closed by the engine.
 */
const LEAKING = [
  'python3',
  '-c',
  'import os, sys\n' +
    'root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)\n' +
    'for number in range(5, 300): os.dup2(root, number)\n' +
    'os.closerange(20, 25)\n' +
    'os.execvp(sys.argv[1], sys.argv[1:])',
];

/** Scripts and links whose interpreter or target is what executes them, and a folder that is what a descriptor may be. */
function layTraps(tree: string): void {
  writeFileSync(join(tree, 'entry'), '#!/proc/self/exe\n', { mode: 0o755 });
  writeFileSync(join(tree, 'entry-with-argument'), '#!/proc/self/exe call\n', { mode: 0o755 });
  symlinkSync('/proc/self/exe', join(tree, 'link-to-exe'));
  symlinkSync('/proc/self/fd/7', join(tree, 'seven'));
  symlinkSync('/proc/self/cwd/../../..', join(tree, 'up'));
}

describeProbed(
  'the ways out of a container',
  (probed) => {
    const { caller, answers, lines } = probed;

    it('threat C1 X14 are not a root inside the root', async () => {
      const [line = ''] = await lines(['escape'], { options: { security: UNFILTERED } });
      const [ok, ...found] = line.split(' ');
      const names = new Set(probed.box.trees.flatMap((tree) => readdirSync(tree)));
      expect([ok, ...found.toSorted()]).toEqual(['ok', ...[...names, 'jail'].toSorted()]);
    });

    it.each([
      ['', {}],
      [' of an init', { init: true }],
      [' without the filter', { security: UNFILTERED }],
    ])(
      'threat C2 X15 are not descriptors of the caller%s, however many there are',
      requires('python3'),
      async (_of, options) => {
        const found = await lines(['descriptors'], { through: LEAKING, options });
        expect(found.map((line) => line.split(': ')[0])).toEqual(['0', '1', '2']);
      },
    );

    it.each(['/proc/self/fd/7', '/proc/self/fd/7/../../..', '/seven', '/seven/x', '/up', '/dev/fd/7'])(
      'threat C2 X15 are not descriptors that WORKDIR %s names (CVE-2024-21626)',
      requires('python3'),
      async (workingDir) => {
        const options = { through: LEAKING, image: { workingDir } };
        const { failure, stdout } = await probed.box.run(['/probe', 'escape'], options);
        expect(stdout).toBe('');
        expect(failure?.message).toMatch(/^Cannot use (the )?working folder /);
      },
    );

    it.each(['/proc/self/exe', '/proc/1/exe', '/entry', '/entry-with-argument', '/link-to-exe'])(
      'threat C3 X16 are not the programs of the host, with the entry point %s (CVE-2019-5736)',
      async (command) => {
        await lines(['identity']); // the runner is there from now on
        const before = hashes();
        await probed.box.run([command, 'overwrite']);
        expect(hashes()).toEqual(before);
      },
    );

    it.each([
      ['', {}],
      [' with an init', { init: true }],
      [" among the host's processes", { pid: 'host' }],
      // As root that is the way to give everything away.
      ...(caller === 'root' ? [] : [[" among the host's, privileged", { ...PRIVILEGED, pid: 'host' }] as const]),
      [' without the filter', { security: UNFILTERED }],
    ] as const)(
      'threat C3 X16 are not the programs of any process that it sees%s',
      async (_with, options: RunOptions) => {
        await lines(['identity']);
        const before = hashes();
        const found = await lines(['overwrite'], { options });
        // Among those of the host, other containers of the same user have programs as well, which are none of the host's.
        expect(found.filter((line) => line.includes(process.execPath) || line.includes('runner'))).toEqual([]);
        expect(found.at(-1)).toBe('done');
        expect(hashes()).toEqual(before);
      },
    );

    it('threat C12 X17 are not its processes, of which all are its own', async () => {
      const places = ['/proc/1/root', '/proc/1/cwd', '/proc/self/root', '/proc/1/root/proc/1/root'];
      const names = new Set(probed.box.trees.flatMap((tree) => readdirSync(tree))).size;
      expect(await answers(['read', ...places])).toEqual(allOf(places, String(names)));
      expect(await lines(['show', '/proc/sys/kernel/ns_last_pid'])).toEqual(['1']);
      const pids = ['2', '3', String(process.pid), String(process.ppid)];
      expect(await answers(['trace', ...pids])).toEqual(allOf(pids, 'ESRCH'));
    });

    if (caller !== 'single')
      it("threat C12 X17 X20 are not another user's process", async () => {
        const script =
          'exec 2>&1; su bob -c "/probe trace 1; /probe read /proc/1/root /proc/1/fd; /probe write /proc/1/mem"; true';
        const { stdout } = await probed.box.run(['sh', '-c', script], { options: { security: UNFILTERED } });
        const refused = allOf(['/proc/1/root', '/proc/1/fd', '/proc/1/mem'], 'EACCES');
        expect(answersIn(stdout.trim().split('\n'))).toEqual({ 1: 'EPERM', ...refused });
      });

    it.each([false, true])('threat C12 X18 are not signals, which reach nobody else, with init %s', async (init) => {
      expect(await lines(['kill-all'], { options: { init } })).toEqual(['kill: ESRCH', 'alive']);
    });

    const TERMINALS = ['/dev/stdin', '/dev/tty', '/dev/console', '/dev/tty0', '/dev/tty1', '/dev/pts/0', '/dev/pts/1'];

    it('threat C6 X19 are not a terminal, of which it has none', async () => {
      const refused = expect.stringMatching(/^(ENOENT ENOENT|ENXIO ENXIO|ENOTTY ENOTTY)$/) as string;
      expect(await answers(['type'])).toEqual(allOf(TERMINALS, refused));
    });

    it("threat C6 X19 are not the caller's terminal, where that is its input", requires('python3'), async () => {
      const through = ['python3', '-c', 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'];
      const { stdout } = await probed.box.run(['sh', '-c', 'test -t 0 && exec /probe type'], { through });
      const found = answersIn(stdout.trim().split(/\r?\n/));
      expect(found).toEqual({
        ...allOf(TERMINALS, expect.stringMatching(/^(ENOENT ENOENT|ENXIO ENXIO)$/)),
        '/dev/stdin': expect.stringMatching(/^(EPERM|EIO|ENXIO|ENOENT|EACCES) /) as string,
      });
    });

    it('threat C6 X19 are not the terminal that it gets with -t, which is of its own', async () => {
      const [first = '', ...rest] = await lines(['type'], { options: { terminal: true } });
      const found = answersIn([first, ...rest].map((line) => line.replace('\r', '').replace(/^x+/, '')));
      // On its own it may type; whether it may depends on a setting of the machine (dev.tty.legacy_tiocsti).
      const own = expect.stringMatching(/^(ok|EIO) /) as string;
      expect(found).toMatchObject({ '/dev/stdin': own, '/dev/tty': own, '/dev/console': own });
      const others = TERMINALS.slice(3).map((path) => found[path]);
      expect(others).toEqual(['ENOENT ENOENT', 'ENOENT ENOENT', 'ENOENT ENOENT', 'ENOENT ENOENT']);
    });

    /** Of the programs that could be overwritten: Node, the bundle and the runner. */
    function hashes(): string[] {
      const runners = readdirSync(probed.box.paths.runner).map((name) => join(probed.box.paths.runner, name));
      const paths = [process.execPath, join(probed.box.folder, 'driver.cjs'), ...runners];
      expect(runners).toHaveLength(1);
      return paths.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  },
  [layTraps],
);
