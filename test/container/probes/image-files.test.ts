import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, it } from 'vitest';

import { removeContainer } from '../../../src/container/remove-container.ts';
import { listTree } from '../../support/tree-listing.ts';
import { buildPreload, writeProbe } from '../support/build-probe.ts';
import { describeProbed } from '../support/probed-containers.ts';

/** What an engine, or a program or library of the host that it starts, might execute or load. */
const PROGRAMS = (
  'bin/mount usr/bin/mount usr/bin/env usr/bin/setpriv usr/bin/nsenter usr/bin/newuidmap usr/bin/fuse-overlayfs ' +
  'sbin/init sbin/modprobe sbin/ldconfig usr/sbin/runc'
).split(' ');
const TEXTS = {
  'etc/ld.so.cache': 'not a cache',
  'etc/nsswitch.conf': 'passwd: evil\ngroup: evil\n',
  'usr/lib/locale/locale-archive': 'not an archive',
  'lib/x86_64-linux-gnu/libnss_evil.so.2': 'not a library',
};

/** The probe marks its rights in /marker when it is called with anything that it does not know. */
function layPrograms(tree: string): void {
  for (const name of PROGRAMS) {
    mkdirSync(join(tree, dirname(name)), { recursive: true });
    writeProbe(join(tree, name));
  }
  for (const [name, text] of Object.entries(TEXTS)) {
    mkdirSync(join(tree, dirname(name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
}

describeProbed(
  'the files of an image',
  (probed) => {
    it.each([
      ['', {}],
      [' with a user of its own accounts', { user: 'root:root', groups: ['root'] }],
      [' with an init', { init: true }],
      [' with a terminal', { terminal: true }],
      [' with mounts', { volumes: ['.:/volume'], tmpfs: ['/fast'], readOnlyRoot: false }],
    ])('B8 X36 are neither executed nor loaded before the last right is gone%s', async (_with, options) => {
      // A static program, which loads nothing itself.
      expect(await probed.lines(['show', '/marker'], { options })).toEqual([]);
    });

    it('B8 X36 have the rights of the container where it loads them', async () => {
      const { stdout } = await probed.box.run(['sh', '-c', '/dynamic mark; cat /marker']);
      const lines = stdout.trim().split('\n');
      expect(lines).toEqual(['CapEff:\t00000000a80425fb', 'CapEff:\t00000000a80425fb']); // the library's, and the program's
    });

    it.each(['overlay', 'copy'] as const)(
      'threat C1 X32 are those of one container, whatever it does to them, with the driver %s',
      async (driver) => {
        const { trees } = probed.box;
        const before = trees.map((tree) => [...listTree(tree)]);
        const script =
          'for round in 1 2 3; do echo x >> /bin/busybox.new; cp /bin/busybox /tmp/b; cat /tmp/b >> /bin/busybox; echo x >> /etc/passwd; ' +
          'chmod 4777 /etc/group; truncate -s 0 /probe; rm -r /home; mkdir /home; ln -f /etc/passwd /etc/linked; touch -d 2001-01-01 /etc; done; ' +
          'exec 2>/dev/null; chown 1:1 /etc; wc -c < /probe; tail -n 1 /etc/passwd';
        const runs = await Promise.all([1, 2].map(async () => probed.box.run(['/bin/sh', '-c', script], { driver })));
        expect(runs.map(({ stdout }) => stdout)).toEqual(['0\nx\n', '0\nx\n']);
        expect(trees.map((tree) => [...listTree(tree)])).toEqual(before);
      },
    );

    it('X32 X33 take nothing of the host with them when the container goes (CVE-2024-23652)', async () => {
      const { box } = probed;
      const host = join(box.folder, 'kept');
      rmSync(host, { recursive: true, force: true });
      mkdirSync(host, { mode: 0o777 });
      writeFileSync(join(host, 'file'), 'kept\n', { mode: 0o666 });
      const places = ['/etc', '/work', '/volume', '/dir', '/var'];
      const script = `cd /; for place in ${places.join(' ')}; do rm -rf $place; ln -s ${host} $place; done; ln -s ${host}/file /link; true`;
      const image = { workingDir: '/work', volumes: ['/volume'] };
      const { id = '', exitCode } = await box.run(['sh', '-c', script], { image });
      expect(exitCode).toBe(0);
      await removeContainer({ paths: box.paths, container: id, force: false, ownership: { kind: 'root' } });
      await box.run(['sh', '-c', script], { image, options: { autoRemove: true } });
      expect([readdirSync(host), readFileSync(join(host, 'file'), 'utf8')]).toEqual([['file'], 'kept\n']);
      expect(readdirSync(box.paths.trash)).toEqual([]);
    });
  },
  [layPrograms, buildPreload],
);
