import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { createContainerIdFile } from '../../src/cli/container-id-file.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';

describe('createContainerIdFile()', () => {
  it('keeps the ID', async () => {
    const path = join(await temporaryFolder(), 'id');
    const file = createContainerIdFile(path);
    file.write('abc');
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('abc');
  });

  it('is gone if there never was an ID', async () => {
    const path = join(await temporaryFolder(), 'id');
    createContainerIdFile(path).close();
    expect(existsSync(path)).toBe(false);
  });

  it('takes no file that is there, and leaves it alone', async () => {
    const path = join(await temporaryFolder(), 'id');
    const first = createContainerIdFile(path);
    expect(() => createContainerIdFile(path)).toThrow(
      `container ID file found, make sure the other container isn't running or delete ${path}`,
    );
    expect(existsSync(path)).toBe(true);
    first.close();
  });

  it('says why there cannot be one', async () => {
    const path = join(await temporaryFolder(), 'absent/id');
    expect(() => createContainerIdFile(path)).toThrow(/^failed to create the container ID file: ENOENT/);
  });
});
