import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { syscallTable } from '../../src/linux/seccomp/syscall-tables.ts';
import type { Machine } from '../../src/linux/syscalls.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires, type Requirement } from '../support/requirements.ts';

export interface RunnerBytes {
  machine: Machine;
  runner: { version: string; base64: string };
  /** The assembler and what it is called with. */
  assembler: readonly [Requirement, ...string[]];
  objcopy: Requirement;
}

/** What holds of the runner's file for any machine. */
export function describeRunnerBytes(title: string, { machine, runner, assembler, objcopy }: RunnerBytes): void {
  const source = fileURLToPath(new URL(`../../src/linux/runner-${machine}.S`, import.meta.url));
  const bytes = Buffer.from(runner.base64, 'base64');

  describe(title, () => {
    it('is what the assembly source gives', requires(assembler[0], objcopy), async () => {
      const folder = await temporaryFolder();
      const [object, binary] = [join(folder, 'runner.o'), join(folder, 'runner')];
      execFileSync(assembler[0], [...assembler.slice(1), '-o', object, source]);
      execFileSync(objcopy, ['-O', 'binary', '-j', '.text', object, binary]);
      expect(inLines(readFileSync(binary).toString('base64'))).toBe(inLines(runner.base64));
    });

    it('has the version of its bytes', () => {
      expect(runner.version).toBe(createHash('sha256').update(bytes).digest('hex').slice(0, 8));
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

    it('calls the kernel by the numbers of its machine, and reads the same program as on x64', () => {
      const table = syscallTable(machine);
      const own = constantsOf(source);
      const calls = [...own].flatMap(([name, value]) => (name.startsWith('SYS_') ? [[name.slice(4), value]] : []));
      expect(calls.length).toBeGreaterThan(5);
      expect(calls).toEqual(calls.map(([name]) => [name, table.get(String(name))]));
      const others = constantsOf(source.replace(`runner-${machine}.S`, 'runner-x64.S'));
      const layout = (all: ReadonlyMap<string, number>): unknown[] =>
        [...all].filter(([name]) => !name.startsWith('SYS_'));
      expect(layout(own)).toEqual(layout(others));
    });
  });
}

/** What `.set NAME, number` says. */
function constantsOf(source: string): Map<string, number> {
  const lines = readFileSync(source, 'utf8').matchAll(/^\.set (\w+),\s+(\w+)/gm);
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
}

/** As they stand in the source, to be copied from what a failing test prints. */
function inLines(base64: string): string {
  const lines = base64.match(/.{1,100}/g) ?? [];
  return `\n${lines.map((line) => `    '${line}',`).join('\n')}\n`;
}
