import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { execute } from './support/execute.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

describe('the store, read by other tools', requires(...TEST_BED_NEEDS), () => {
  let home: CliHome;
  let copy: string;
  let name: string;

  beforeAll(async () => {
    home = openCliHome();
    copy = mkdtempSync(join(tmpdir(), 'mydocker-e2e-copy-'));
    name = `${testBed().registry}/test/layered:gzip`;
    expect(await home.mydocker(['pull', '-q', name])).toMatchObject({ code: 0, stderr: '' });
    expect(await home.mydocker(['pull', '-q', `${testBed().registry}/test/multi`])).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  afterAll(() => {
    home.remove();
    rmSync(copy, { recursive: true });
  });

  it('is inspected by skopeo under the full name', () => {
    const inspected = JSON.parse(execute('skopeo', ['inspect', `oci:${home.store}:${name}`])) as { Layers: string[] };
    expect(inspected.Layers).toHaveLength(6);
  });

  it('gives skopeo the bytes that the registry has', () => {
    execute('skopeo', ['copy', '--quiet', '--preserve-digests', `oci:${home.store}:${name}`, `dir:${copy}`]);
    const fromRegistry = execute('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
    expect(readFileSync(join(copy, 'manifest.json'), 'utf8')).toBe(fromRegistry);
  });

  it('is a layout whose every name skopeo finds', () => {
    const index = JSON.parse(readFileSync(join(home.store, 'index.json'), 'utf8')) as OciIndex;
    const names = index.manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? '');
    expect(names.toSorted()).toEqual([name, `${testBed().registry}/test/multi:latest`].toSorted());
    for (const found of names) execute('skopeo', ['inspect', `oci:${home.store}:${found}`]);
    expect(readFileSync(join(home.store, 'oci-layout'), 'utf8')).toContain('"imageLayoutVersion"');
  });

  it('is unpacked by umoci', () => {
    const tag = 'plain-name';
    const plain = join(copy, 'layout');
    // umoci takes no colon in a tag.
    execute('skopeo', ['copy', '--quiet', `oci:${home.store}:${name}`, `oci:${plain}:${tag}`]);
    execute('umoci', ['unpack', '--image', `${plain}:${tag}`, join(copy, 'bundle')]);
    expect(readdirSync(join(copy, 'bundle/rootfs'))).toContain('last');
  });
});

interface OciIndex {
  manifests: { annotations?: Record<string, string> }[];
}
