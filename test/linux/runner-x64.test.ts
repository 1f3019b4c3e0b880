import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RUNNER_X64 } from '../../src/linux/runner-x64.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';

const SOURCE = fileURLToPath(new URL('../../src/linux/runner-x64.S', import.meta.url));
const bytes = Buffer.from(RUNNER_X64.base64, 'base64');

describe('RUNNER_X64', () => {
  it('is what the assembly source gives', requires('as', 'objdump'), async () => {
    const folder = await temporaryFolder();
    const [object, binary] = [join(folder, 'runner.o'), join(folder, 'runner')];
    const tools = { as: ['--64', '-o', object, SOURCE], objcopy: ['-O', 'binary', '-j', '.text', object, binary] };
    for (const [tool, args] of Object.entries(tools)) execFileSync(tool, args);
    const assembled = await fs.readFile(binary);
    const lines = assembled.toString('base64').match(/.{1,100}/g) ?? [];
    expect(`\n${lines.map((line) => `    '${line}',`).join('\n')}\n`).toBe(
      `\n${(RUNNER_X64.base64.match(/.{1,100}/g) ?? []).map((line) => `    '${line}',`).join('\n')}\n`,
    );
  });

  it('has the version of its bytes', () => {
    expect(RUNNER_X64.version).toBe(createHash('sha256').update(bytes).digest('hex').slice(0, 8));
  });

  it('has no segment that is writable and executable', () => {
    const [PT_LOAD, PT_GNU_STACK] = [1, 0x6474e551];
    const [EXECUTE, WRITE] = [1, 2];
    const segments = [0, 1].map((index) => {
      const at = Number(bytes.readBigUInt64LE(32)) + index * bytes.readUInt16LE(54);
      return { type: bytes.readUInt32LE(at), flags: bytes.readUInt32LE(at + 4) };
    });
    expect(bytes.readUInt16LE(56)).toBe(2);
    expect(segments.map(({ type }) => type)).toEqual([PT_LOAD, PT_GNU_STACK]);
    for (const { flags } of segments) expect(flags & EXECUTE && flags & WRITE).toBe(0);
  });
});
