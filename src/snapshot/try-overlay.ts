import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../fs/disk-error.ts';
import { makeTemporaryFolder } from '../fs/make-temporary-folder.ts';
import { removeTree } from '../fs/remove-tree.ts';
import { executeProgram } from '../linux/execute-program.ts';
import type { Ownership } from '../linux/ownership.ts';
import { CLONE } from '../linux/process-flags.ts';
import { StepError } from '../linux/step-error.ts';
import { userNamespaceSteps } from '../linux/user-namespace.ts';
import { overlayDriver } from './overlay.ts';

export interface OverlayFacts {
  /** Where containers' folders are made: whether overlayfs can be mounted depends on their file system. */
  containers: string;
  /** Keeps the runner's executable file. */
  runnerFolder: string;
  whiteouts: 'trusted' | 'user';
  ownership: Ownership;
}

/**
 * Mounts an overlay over two empty folders, in namespaces that end with the program. Undefined if that worked, else what the kernel said.
 * Throws if it did not come to the mount: ToolError, and what `executeProgram` throws.
 */
export async function tryOverlay(facts: OverlayFacts): Promise<StepError | undefined> {
  const folder = makeTemporaryFolder(facts.containers);
  const layer = join(folder, 'layer');
  try {
    mkdirSync(join(layer, 'fs'), { recursive: true });
    const mount = await overlayDriver(facts.whiteouts).prepare({ folder, layers: [layer], ephemeral: false });
    const options = mount.type === 'overlay' ? mount.options.join(',') : '';
    await executeProgram(
      [
        ...userNamespaceSteps(facts.ownership),
        { call: 'unshare', args: [CLONE.NEWNS], what: 'create a mount namespace' },
        { call: 'chdir', args: [folder], what: 'enter the folder' },
        { call: 'mount', args: ['overlay', 'rootfs', 'overlay', 0, options], what: 'mount an overlay' },
      ],
      facts,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof StepError)) throw diskError(error, 'prepare', folder);
    if (error.call === 'mount') return error;
    throw error;
  } finally {
    await removeTree(folder);
  }
}
