import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { compare } from '../compare.mjs';
import { findProgram } from '../find-program.mjs';
import { pushFiveLayers } from '../images.mjs';
import { timeCommand } from '../measure.mjs';
import { mydocker } from '../tools/mydocker.mjs';

const SIZE = 6 * 2 ** 30; // bytes of the file behind the loop device

/** The copy driver where copies share their blocks, beside the program that does nothing else. */
export async function measureReflink({ workspace, open, runs, say }) {
  if (findProgram('mkfs.btrfs') === undefined) {
    say('reflink is left out: there is no mkfs.btrfs (package btrfs-progs)');
    return [];
  }
  const volume = mountBtrfs(workspace);
  const [ours] = await open([{ ...mydocker, open: async () => mydocker.open({ ...workspace, ...volume }) }]);
  const { image } = await pushFiveLayers(workspace);
  await timeCommand(ours.pull(image));
  await timeCommand(ours.run(image)); // remembers a driver
  takeCopyDriver(ours.home);

  say('a run on a copy of the five layers');
  const run = { name: 'mydocker, copy driver', command: () => ours.run(image) };
  const target = join(volume.folder, 'copy');
  const script =
    'rm -rf "$0"; mkdir "$0"; for layer in "$@"; do cp -a --reflink=always "$layer/." "$0"; done; rm -rf "$0"';
  const layers = join(ours.home, 'layers');
  const folders = readdirSync(layers).map((name) => join(layers, name, 'fs'));
  const copy = { name: 'cp -a --reflink', command: () => ({ argv: ['sh', '-c', script, target, ...folders] }) };
  const results = await compare([run, copy], { runs, say });
  return [{ title: 'copy driver where there is reflink, with removal', goals: { [copy.name]: 2 }, results }];
}

function mountBtrfs(workspace) {
  const file = join(workspace.folder, 'btrfs.image');
  writeFileSync(file, '');
  truncateSync(file, SIZE);
  execFileSync('mkfs.btrfs', ['-q', file]);
  const folder = workspace.makeFolder('btrfs');
  execFileSync('mount', ['-o', 'loop', file, folder]);
  workspace.onClose(async () => void execFileSync('umount', [folder]));
  return { folder, makeFolder: (name) => workspace.makeFolder(join('btrfs', name)) };
}

/** As on a kernel that cannot mount the overlay. */
function takeCopyDriver(home) {
  const path = join(home, 'runner/driver.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), overlay: false }));
}
