import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { reserveName } from '../../src/container/container-name.ts';
import type { ContainerPaths } from '../../src/container/container-paths.ts';
import {
  createContainerFolder,
  readRecord,
  readState,
  writeRecord,
  writeState,
} from '../../src/container/container-record.ts';
import type { ContainerRecord } from '../../src/container/container-record.ts';
import { findContainer } from '../../src/container/find-container.ts';
import { containerRoots, listContainers } from '../../src/container/list-containers.ts';
import { reapContainers } from '../../src/container/reap-containers.ts';
import { removeContainer } from '../../src/container/remove-container.ts';
import { tryFileLock } from '../../src/fs/kernel-lock.ts';
import type { FileLock } from '../../src/fs/kernel-lock.ts';
import { digestOf } from '../../src/oci/digest.ts';

const OWNERSHIP = { kind: 'root' } as const;
const DIGEST = digestOf(Buffer.from('image'));

let root: string;
let paths: ContainerPaths;
let locks: FileLock[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mydocker-records-'));
  paths = {
    containers: join(root, 'containers'),
    trash: join(root, 'trash'),
    runner: join(root, 'runner'),
    gcLock: join(root, 'gc.lock'),
  };
  for (const folder of [paths.containers, paths.trash]) mkdirSync(folder);
  locks = [];
});
afterEach(() => {
  for (const lock of locks) lock.release();
  rmSync(root, { recursive: true });
});

interface Situation {
  record?: Partial<ContainerRecord>;
  started?: boolean;
  locked?: boolean;
  exitCode?: number;
}

async function make(id: string, { record, started, locked, exitCode }: Situation = {}): Promise<string> {
  const { folder, lock } = createContainerFolder(paths.containers, id);
  closeSync(lock);
  const name = await reserveName({ containers: paths.containers, id, wanted: record?.name });
  writeRecord(folder, {
    version: 1,
    id,
    image: 'alpine',
    imageId: DIGEST,
    manifest: DIGEST,
    layers: ['one'],
    command: ['sh'],
    created: '2024-01-01T00:00:00.000Z',
    autoRemove: false,
    ...record,
    name,
  });
  if (started === true) writeFileSync(join(folder, 'started'), '');
  if (exitCode !== undefined) writeState(folder, { exitCode, finished: '2024-01-01T00:00:01.000Z' });
  const held = locked === true ? tryFileLock(join(folder, 'lock'), 'exclusive') : undefined;
  if (held !== undefined) locks.push(held);
  return folder;
}

const ID = (digit: string): string => digit.repeat(64);

describe('listContainers()', () => {
  it('tells what each container does from its files and its lock', async () => {
    await make(ID('1'));
    await make(ID('2'), { started: true, locked: true });
    await make(ID('3'), { started: true, exitCode: 7 });
    await make(ID('4'), { started: true });
    await make(ID('5'), { started: true, locked: true, exitCode: 0 });
    const found = listContainers(paths.containers).map(({ id, status, exitCode }) => [id[0], status, exitCode]);
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        ['1', 'created', undefined],
        ['2', 'running', undefined],
        ['3', 'exited', 7],
        ['4', 'dead', undefined],
        ['5', 'exited', 0],
      ]),
    );
  });

  it('does not take somebody else who asks at the same time for the container', async () => {
    const folder = await make(ID('1'), { started: true });
    const asking = tryFileLock(join(folder, 'lock'), 'shared');
    if (asking !== undefined) locks.push(asking);
    expect(listContainers(paths.containers)[0]?.status).toBe('dead');
  });

  it('answers newest first, damaged ones included, and looks at nothing else', async () => {
    await make(ID('1'), { record: { created: '2001-01-01T00:00:00.000Z' } });
    await make(ID('2'), { record: { created: '2003-01-01T00:00:00.000Z' } });
    await make(ID('3'), { record: { created: '2002-01-01T00:00:00.000Z' } });
    mkdirSync(join(paths.containers, ID('4')));
    writeFileSync(join(paths.containers, ID('4'), 'config.json'), '');
    mkdirSync(join(paths.containers, 'something-else'));
    const found = listContainers(paths.containers);
    expect(found.map(({ id }) => id[0])).toEqual(['4', '2', '3', '1']);
    expect(found[0]).toMatchObject({ status: 'created', record: undefined });
  });

  it('finds nothing where there is no folder', () => {
    expect(listContainers(join(root, 'nowhere'))).toEqual([]);
  });
});

describe('containerRoots()', () => {
  it('names what every container needs, running or not', async () => {
    await make(ID('1'), { record: { layers: ['a', 'b'] } });
    await make(ID('2'), { started: true, record: { layers: ['a', 'c'] } });
    expect(containerRoots(paths.containers)).toEqual({ manifests: [DIGEST], layers: ['a', 'b', 'c'] });
  });

  it.for(['', '{', '[]', 'null', '{"version":2}', '{"version":1,"id":"x"}'])(
    'fails if a record is damaged: %j',
    async (text) => {
      const folder = await make(ID('1'));
      writeFileSync(join(folder, 'config.json'), text);
      expect(() => containerRoots(paths.containers)).toThrow(
        expect.objectContaining({
          code: 'ERR_STORE_DAMAGED',
          hint: expect.stringContaining('rm 1111') as string,
        }) as Error,
      );
    },
  );

  it('passes over a container that is only being made', () => {
    closeSync(createContainerFolder(paths.containers, ID('1')).lock);
    expect(containerRoots(paths.containers)).toEqual({ manifests: [], layers: [] });
  });
});

describe('readRecord() and readState()', () => {
  it('read what was written', async () => {
    const folder = await make(ID('1'), { record: { command: ['echo', 'ä\n'] } });
    expect(readRecord(paths.containers, ID('1'))).toMatchObject({ command: ['echo', 'ä\n'], imageId: DIGEST });
    writeState(folder, { waiter: { pid: 42, startTime: '7' } });
    expect(readState(paths.containers, ID('1'))).toEqual({ waiter: { pid: 42, startTime: '7' } });
  });

  it("do not take another container's record", async () => {
    await make(ID('1'));
    const folder = await make(ID('2'));
    writeRecord(folder, { ...(readRecord(paths.containers, ID('1')) as ContainerRecord) });
    expect(() => readRecord(paths.containers, ID('2'))).toThrow("it is not a container's record");
  });

  it.for(['', '{', 'null', '[]', '{"waiter":{"pid":1,"startTime":"1"}}', '{"waiter":{"pid":-5,"startTime":"1"}}'])(
    'take a damaged state for none: %j',
    async (text) => {
      writeFileSync(join(await make(ID('1')), 'state.json'), text);
      expect(readState(paths.containers, ID('1'))).toEqual({});
    },
  );
});

describe('findContainer()', () => {
  it('finds by ID, by name and by the start of an ID, in that order', async () => {
    await make(`ab${'1'.repeat(62)}`, { record: { name: 'cd' } });
    await make(`cd${'1'.repeat(62)}`, { record: { name: 'other' } });
    for (const [text, start] of [
      ['ab', 'ab'],
      ['cd', 'ab'],
      ['/cd', 'ab'],
      ['cd1', 'cd'],
      ['other', 'cd'],
      [`cd${'1'.repeat(62)}`, 'cd'],
    ] as const) {
      expect(findContainer(paths.containers, text)).toBe(`${start}${'1'.repeat(62)}`);
    }
  });

  it('says when there is none, or more than one', async () => {
    await make(ID('1'));
    await make(`1${'2'.repeat(63)}`);
    for (const text of ['nope', '', '2', '../1', 'g'.repeat(64), '0'.repeat(64)]) {
      expect(() => findContainer(paths.containers, text)).toThrow(
        expect.objectContaining({ code: 'ERR_NO_SUCH_CONTAINER' }) as Error,
      );
    }
    expect(() => findContainer(paths.containers, '1')).toThrow('Multiple IDs found with provided prefix: 1');
  });
});

describe('removeContainer()', () => {
  const remove = async (container: string, force = false): Promise<string> =>
    removeContainer({ paths, container, force, ownership: OWNERSHIP });

  it('removes one that does not run, and frees its name', async () => {
    await make(ID('1'), { started: true, exitCode: 0, record: { name: 'web' } });
    expect(await remove('web')).toBe(ID('1'));
    expect(readdirSync(paths.containers)).toEqual(['names']);
    expect(readdirSync(join(paths.containers, 'names'))).toEqual([]);
    expect(readdirSync(paths.trash)).toEqual([]);
  });

  it('removes a damaged one', async () => {
    const folder = await make(ID('1'));
    writeFileSync(join(folder, 'config.json'), '');
    expect(await remove('11')).toBe(ID('1'));
    expect(readdirSync(paths.containers)).toEqual(['names']);
  });

  it('refuses one that runs', async () => {
    await make(ID('1'), { started: true, locked: true });
    await expect(remove('11')).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_CONFLICT',
        message:
          'cannot remove container "11": container is running: stop the container before removing or force remove',
      }) as Error,
    );
  });

  it('kills nobody whose process ID is merely that of the container once', async () => {
    const folder = await make(ID('1'), { started: true, locked: true });
    writeState(folder, { waiter: { pid: process.pid, startTime: 'another time' } });
    const removal = removeContainer({
      paths,
      container: '11',
      force: true,
      ownership: OWNERSHIP,
      signal: AbortSignal.timeout(100),
    });
    await expect(removal).rejects.toThrow(expect.objectContaining({ code: 'ERR_ABORTED' }) as Error);
  });
});

describe('reapContainers()', () => {
  it('deletes at once what was being made by a process that has ended, and never what a living one makes', async () => {
    const folder = await make(ID('1'), { record: { name: 'web' } });
    await make(ID('2'));
    writeFileSync(join(folder, 'lock'), readFileSync(join(folder, 'lock'), 'latin1').replace(/-\d+-/, '-1-'));
    expect(await reapContainers({ paths, ownership: OWNERSHIP })).toEqual([ID('1')]);
    expect(readdirSync(join(paths.containers, 'names'))).not.toContain('web');
    const elsewhere = await make(ID('3'));
    writeFileSync(join(elsewhere, 'lock'), '2147483647-1-1'); // in another pid namespace that may be anybody
    expect(await reapContainers({ paths, ownership: OWNERSHIP })).toEqual([]);
  });

  it('frees the names of containers that have gone without them', async () => {
    await make(ID('1'), { record: { name: 'kept' } });
    await make(ID('2'), { record: { name: 'lost' } });
    rmSync(join(paths.containers, ID('2')), { recursive: true });
    await reapContainers({ paths, ownership: OWNERSHIP });
    expect(readdirSync(join(paths.containers, 'names'))).toEqual(['kept']);
  });

  it('deletes what was to be removed and has ended, and what never started long ago', async () => {
    const autoRemove = { autoRemove: true };
    await make(ID('1'), { started: true, record: autoRemove });
    await make(ID('2'), { started: true, exitCode: 0, record: autoRemove });
    await make(ID('3'), { started: true, locked: true, record: autoRemove });
    await make(ID('4'), { record: autoRemove });
    await make(ID('5'), { started: true });
    await make(ID('6'), { started: true, exitCode: 0 });
    const reaped = await reapContainers({ paths, ownership: OWNERSHIP });
    expect(new Set(reaped)).toEqual(new Set([ID('1'), ID('2')]));
    const kept = listContainers(paths.containers).map(({ id }) => id[0]);
    expect(new Set(kept)).toEqual(new Set(['3', '4', '5', '6']));
    utimesSync(join(paths.containers, ID('4')), 0, 0);
    expect(await reapContainers({ paths, ownership: OWNERSHIP })).toEqual([ID('4')]);
  });
});
