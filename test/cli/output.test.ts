import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';

const noStream = (): never => {
  throw new Error('no stream is needed');
};

describe('createOutput()', () => {
  let folder: string;
  let broken: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-output-'));
    broken = 0;
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function output(fd: number): ReturnType<typeof createOutput> {
    return createOutput(fd, noStream, () => (broken += 1));
  }

  it('has written when it returns', () => {
    const path = join(folder, 'file');
    const fd = openSync(path, 'w');
    output(fd).write('é\n');
    output(fd).write('');
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('é\n');
  });

  it('tells of a pipe that nobody reads, and does not throw', () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    closeSync(reader);
    output(writer).write('text');
    closeSync(writer);
    expect(broken).toBe(1);
  });

  it('waits for the reader of a pipe that does not block', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const text = 'x'.repeat(300_000); // more than a pipe holds
    // Another process reads while this one is stuck in the write.
    const child = spawn('wc', ['-c'], { stdio: [reader, 'pipe', 'inherit'] });
    output(writer).write(text);
    closeSync(writer);
    closeSync(reader);
    const counted = await new Promise<string>((resolve) => child.stdout?.setEncoding('utf8').once('data', resolve));
    expect(Number(counted)).toBe(300_000);
  });

  it('is no terminal, 80 columns wide, where it is a file', () => {
    const fd = openSync(join(folder, 'file'), 'w');
    const { isTerminal, columns, rows } = output(fd);
    expect([isTerminal, columns(), rows()]).toEqual([false, 80, 24]);
    closeSync(fd);
  });
});
