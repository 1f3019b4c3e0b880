import { execFileSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyDriver } from '../../src/snapshot/copy.ts';
import { overlayDriver } from '../../src/snapshot/overlay.ts';
import { conformsAsSnapshotDriver } from '../conformance/snapshot-driver.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';

describe('overlayDriver()', requires('root', 'setfattr'), () => {
  conformsAsSnapshotDriver(() => overlayDriver('trusted'));
});

describe('copyDriver()', requires('root', 'setfattr'), () => {
  conformsAsSnapshotDriver((runnerFolder) =>
    copyDriver({ whiteouts: 'trusted', ownership: { kind: 'root' }, runnerFolder }),
  );
});

describe('copyDriver() with owners', requires('root', 'setfattr'), () => {
  const uids = [
    { inside: 0, outside: 1, count: 10 },
    { inside: 10, outside: 0, count: 1 },
  ];
  const gids = [{ inside: 0, outside: 100, count: 50 }];
  // cap_net_raw+ep: struct vfs_cap_data of revision 2
  const CAPABILITY = '0x0100000200200000000000000000000000000000';

  async function copyOf(lay: (tree: string) => void): Promise<string> {
    const folder = await temporaryFolder();
    const tree = join(folder, 'layer/fs');
    mkdirSync(tree, { recursive: true });
    lay(tree);
    const owners = { uids, gids };
    const driver = copyDriver({ whiteouts: 'trusted', ownership: { kind: 'root' }, runnerFolder: folder, owners });
    await driver.prepare({ folder, layers: [join(folder, 'layer')], ephemeral: false });
    return join(folder, 'rootfs');
  }

  it('gives every kind of file its new owner, and keeps what goes with it', async () => {
    const root = await copyOf((tree) => {
      mkdirSync(join(tree, 'folder'));
      writeFileSync(join(tree, 'folder/tool'), '', { mode: 0o755 });
      chownSync(join(tree, 'folder/tool'), 10, 49);
      execFileSync('chmod', ['4755', join(tree, 'folder/tool')]);
      symlinkSync('tool', join(tree, 'folder/link'));
    });
    expect(lstatSync(root)).toMatchObject({ uid: 1, gid: 100 });
    expect(lstatSync(join(root, 'folder'))).toMatchObject({ uid: 1, gid: 100 });
    expect(lstatSync(join(root, 'folder/link'))).toMatchObject({ uid: 1, gid: 100 });
    expect(lstatSync(join(root, 'folder/tool'))).toMatchObject({ uid: 0, gid: 149, mode: 0o104755 });
  });

  it('makes file capabilities those of the new root', async () => {
    const root = await copyOf((tree) => {
      writeFileSync(join(tree, 'ping'), '');
      execFileSync('setfattr', ['-n', 'security.capability', '-v', CAPABILITY, join(tree, 'ping')]);
    });
    const args = ['-n', 'security.capability', '-e', 'hex', '--only-values', '--absolute-names', join(root, 'ping')];
    const value = execFileSync('getfattr', args, { encoding: 'latin1' });
    expect(Buffer.from(value, 'latin1').toString('hex')).toBe(
      `${CAPABILITY.slice(2).replace(/^01000002/, '01000003')}01000000`,
    );
  });

  it('fails for an owner that there is no new one for', async () => {
    const copying = copyOf((tree) => chownSync(tree, 11, 0));
    await expect(copying).rejects.toThrow('a file belongs to 11, which does not exist in the user namespace');
  });
});
