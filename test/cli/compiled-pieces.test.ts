import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { temporaryFolder } from '../fs/temporary-folder.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const PROGRAMS = ['copy-child.cjs', 'unpack-child.cjs', 'bin/mydocker.cjs', 'bin/supervisor.cjs'];

describe('dist', () => {
  const files = ['', 'bin'].flatMap((folder) => readdirSync(join(DIST, folder)).map((name) => join(folder, name)));
  const compiled = files.filter((path) => path.endsWith('.compiled'));

  it('has beside each file of pieces what V8 compiles it to', () => {
    const sources = files.filter((path) => path.endsWith('.cjs') && !PROGRAMS.includes(path));
    expect(compiled.sort()).toEqual(sources.map((path) => `${path}.compiled`).sort());
  });

  it.each(compiled)('%s is taken by the Node that it was built with', (path) => {
    const source = readFileSync(join(DIST, path.replace(/\.compiled$/, '')), 'utf8');
    const script = new Script(source, { cachedData: readFileSync(join(DIST, path)) });
    expect(script.cachedDataRejected).toBe(false);
  });

  it.each([
    ['is taken', []],
    ['is not taken, by a V8 with other flags', ['--min-semi-space-size=1']],
  ])('a child runs where that %s', async (_, flags) => {
    const [from, to] = [await temporaryFolder(), await temporaryFolder()];
    writeFileSync(join(from, 'file'), 'content');
    const job = JSON.stringify({ trees: [from], destination: to, whiteouts: 'trusted' });
    spawnSync(process.execPath, [...flags, join(DIST, 'copy-child.cjs'), job]);
    expect(readFileSync(join(to, 'file'), 'utf8')).toBe('content');
  });
});
