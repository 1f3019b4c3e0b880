import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registryOptions } from '../../src/cli/engine/registry-options.ts';

describe('registryOptions()', () => {
  const own = join(homedir(), '.config/mydocker/certs.d');
  it.each([
    [undefined, own],
    ['', own],
    ['relative', own],
    ['/settings', '/settings/mydocker/certs.d'],
  ])("with XDG_CONFIG_HOME %j looks for mirrors in %s, and in containerd's folder after", (folder, expected) => {
    const options = registryOptions({ env: { XDG_CONFIG_HOME: folder }, insecureRegistries: [] });
    expect(options).toMatchObject({
      hostsFolders: [expected, '/etc/containerd/certs.d'],
      certificateFolders: ['/etc/docker/certs.d'],
    });
  });
});
