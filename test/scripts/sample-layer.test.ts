import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeSampleLayer, makeToolLayer } from '../../scripts/sample-layer.mjs';
import { requires } from '../support/requirements.ts';

describe('the sample image of the demo', requires('root'), () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mydocker-sample-'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it.each([
    ['whatever this machine has', async () => (await makeSampleLayer()).layer],
    ['a shell, tools and their libraries', makeToolLayer],
  ])('runs commands on its own: %s', async (_, makeLayer) => {
    execFileSync('tar', ['--extract', '--gzip', `--directory=${root}`], { input: await makeLayer() });
    const script = '/bin/ls / && /bin/echo hey && /bin/id -u';
    const printed = execFileSync('chroot', [root, '/bin/sh', '-c', script], { encoding: 'utf8' });
    expect(printed).toMatch(/^bin\ndev\netc\n(lib.*\n)*proc\nroot\nsys\ntmp\n(usr\n)?hey\n0\n$/);
  });
});
