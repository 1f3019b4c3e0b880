import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ContainerOptions } from '../../src/container/container-options.ts';
import { runContainer } from '../../src/container/run-container.ts';
import type { RunRequest } from '../../src/container/run-container.ts';
import { tryFileLock } from '../../src/fs/kernel-lock.ts';
import { readHostFacts } from '../../src/linux/host-facts.ts';
import { overlayDriver } from '../../src/snapshot/overlay.ts';
import { requires } from '../support/requirements.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box } from './support/box.ts';

describe('runContainer() in a library', requires('root', 'static-busybox'), () => {
  let box: Box;
  beforeAll(() => {
    box = createBox('root');
  });
  afterAll(() => box.remove());

  function requestOf(options: ContainerOptions, rest: Partial<RunRequest> = {}): RunRequest {
    return {
      paths: box.paths,
      host: readHostFacts(),
      image: box.image(),
      driver: overlayDriver('trusted'),
      options,
      stdio: ['ignore', 'ignore', 'ignore'],
      ...rest,
    };
  }

  function leftovers(): string[] {
    return [...readdirSync(box.paths.containers), ...readdirSync(box.paths.trash)].filter((name) => name !== 'names');
  }

  it('hands out the streams that it was asked for', async () => {
    let output = '';
    const result = await runContainer(
      requestOf(
        { args: ['echo', 'streamed'], autoRemove: true },
        {
          stdio: ['ignore', 'pipe', 'ignore'],
          onLaunched: (child) => child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text)),
        },
      ),
    );
    expect([result.exitCode, output]).toEqual([0, 'streamed\n']);
  });

  it('ends and removes the container when it is aborted while it runs', async () => {
    const controller = new AbortController();
    const run = runContainer(
      requestOf(
        { args: ['sleep', '1000'] },
        { signal: controller.signal, onStarted: () => controller.abort(new Error('enough')) },
      ),
    );
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
    expect(leftovers()).toEqual([]);
  });

  it('starts nothing when it was aborted before', async () => {
    const run = runContainer(requestOf({ args: ['true'] }, { signal: AbortSignal.abort() }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(leftovers()).toEqual([]);
  });

  it('is aborted at any moment of the set-up without leaving anything', async () => {
    // The turns of the event loop between the start and the command's first instruction, one more each time.
    for (let turns = 0; turns < 12; turns += 1) {
      const controller = new AbortController();
      const run = runContainer(requestOf({ args: ['sleep', '1000'] }, { signal: controller.signal }));
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    }
    expect(leftovers()).toEqual([]);
  });

  it('ends the container when the caller of onStarted fails', async () => {
    const fail = (): never => {
      throw new Error('of the caller');
    };
    await expect(runContainer(requestOf({ args: ['sleep', '1000'] }, { onStarted: fail }))).rejects.toThrow(
      'of the caller',
    );
    expect(leftovers()).toEqual([]);
  });

  it('refuses a folder as a descriptor of the command', async () => {
    const folder = openSync('/', 'r');
    try {
      const run = runContainer(
        requestOf({ args: ['ls', '/proc/self/fd/0/..'] }, { stdio: [folder, 'ignore', 'ignore'] }),
      );
      await expect(run).rejects.toThrow('Cannot hand on descriptor 0: it is a folder');
    } finally {
      closeSync(folder);
    }
  });

  it('has written all output into a file when it resolves', async () => {
    const path = join(box.folder, 'output');
    const file = openSync(path, 'a');
    try {
      const args = ['sh', '-c', 'head -c 300000 /dev/zero; echo end >&2'];
      await runContainer(requestOf({ args, autoRemove: true }, { stdio: ['ignore', file, file] }));
    } finally {
      closeSync(file);
    }
    expect(readFileSync(path, 'latin1')).toBe(`${'\0'.repeat(300_000)}end\n`);
  });

  it("answers with the command's exit code even if it cannot be recorded", async () => {
    const result = await runContainer(
      requestOf(
        { args: ['sh', '-c', 'exit 3'] },
        { onStarted: ({ id }) => mkdirSync(join(box.paths.containers, id, 'state.json.new')) },
      ),
    );
    expect(result).toMatchObject({ exitCode: 3, cleanupError: { code: 'ERR_STORE' } });
    rmSync(join(box.paths.containers, result.containerId), { recursive: true });
  });

  it('waits for a garbage collection, and looks for the layers after it', async () => {
    const other = createBox('root');
    const collection = tryFileLock(other.paths.gcLock, 'exclusive');
    try {
      const run = runContainer({ ...requestOf({ args: ['true'] }), paths: other.paths, image: other.image() });
      const waiting = `:${statSync(other.paths.gcLock).ino} `; // proc_locks(5): `-> FLOCK ADVISORY READ <pid> <device>:<inode> 0 EOF`
      const blocked = (line: string): boolean => line.includes('-> FLOCK') && line.includes(waiting);
      while (!readFileSync('/proc/locks', 'utf8').split('\n').some(blocked)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      rmSync(join(other.trees[0] ?? '', '../done'));
      collection?.release();
      await expect(run).rejects.toThrow('Cannot use the layer');
    } finally {
      collection?.release();
      other.remove();
    }
  });

  it('runs twenty at once', async () => {
    const runs = Array.from({ length: 20 }, async (_, code) =>
      runContainer(requestOf({ args: ['sh', '-c', `exit ${code}`], autoRemove: true })),
    );
    const codes = (await Promise.all(runs)).map(({ exitCode }) => exitCode);
    expect(codes).toEqual(Array.from({ length: 20 }, (_, code) => code));
    expect(leftovers()).toEqual([]);
  });
});

describe('runContainer() with many layers', requires('root', 'static-busybox'), () => {
  it('C03 takes 127 layers, upper ones hiding lower ones', async () => {
    const box = createBox('root', [
      layBusybox,
      ...Array.from({ length: 126 }, (_, index) => (tree: string) => writeFileSync(`${tree}/name`, `${index}`)),
    ]);
    try {
      expect(await box.run(['cat', '/name'])).toMatchObject({ stdout: '125', exitCode: 0 });
    } finally {
      box.remove();
    }
  });
});
