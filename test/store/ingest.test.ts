import { once } from 'node:events';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, describe, expect, it } from 'vitest';

import { advisoryLockPath } from '../../src/fs/advisory-lock.ts';
import { tryFileLock } from '../../src/fs/kernel-lock.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { describeIngest } from '../conformance/ingest.ts';
import { buildChildProgram } from '../fs/child-program.ts';
import { requires } from '../support/requirements.ts';
import { listTree, openTestStore, wrongBlobs } from './open-test-store.ts';
import { listBlobs, testBlob } from './test-image.ts';

// Writes a file into a store: `chunk` bytes at a time. Tells what it does, one word a line, and whether it downloaded.
const program = await buildChildProgram(`
  import fs from 'node:fs';
  import { digestOf } from './src/oci/digest.ts';
  import { openStore } from './src/store/open-store.ts';
  const [root, source, until] = process.argv.slice(2);
  const bytes = fs.readFileSync(source);
  const store = await openStore(root, { ownership: { kind: 'root' } });
  const descriptor = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
  try {
    const ingest = await store.blobs.ingest(descriptor, { onWait: () => console.log('waits') });
    if (ingest === undefined) console.log('found');
    else {
      console.log('offset', ingest.offset);
      const end = until === undefined ? bytes.length : Number(until);
      while (ingest.offset < end) await ingest.write(bytes.subarray(ingest.offset, Math.min(ingest.offset + 10_000, end)));
      if (until !== undefined) {
        console.log('stops');
        await new Promise((resolve) => process.stdin.once('end', resolve).resume());
      }
      await ingest.commit();
      console.log('stored');
    }
  } catch (error) {
    console.log(error.code, error.message);
  }
`);

// Goes on after a failed write, as no caller should.
const insistent = await buildChildProgram(`
  import fs from 'node:fs';
  import { digestOf } from './src/oci/digest.ts';
  import { openStore } from './src/store/open-store.ts';
  import { failCall } from './test/fs/fault.ts';
  const store = await openStore(process.argv[2], { ownership: { kind: 'root' } });
  const bytes = Buffer.from('content');
  const ingest = await store.blobs.ingest({ mediaType: '', digest: digestOf(bytes), size: 7 });
  const say = (error) => console.log(error.code ?? error.message);
  failCall('write', 1, 'ENOSPC');
  await ingest.write(bytes).catch(say);
  await ingest.write(bytes.subarray(ingest.offset)).catch(say);
  await ingest.commit().catch(say);
  await ingest.reset();
  await ingest.write(bytes.subarray(0, 3));
  failCall('write', 1, 'EIO');
  await ingest.write(bytes.subarray(3)).catch(say);
  await ingest.suspend();
  console.log(fs.readdirSync(process.argv[2] + '/ingest').length, 'left');
`);
afterAll(async () => insistent.remove());
afterAll(async () => program.remove());

const LARGE = testBlob(Buffer.alloc(5_000_000, 'large')); // more than what is verified when it is found

describeIngest('ingest() of a folder', async () => (await openTestStore()).blobs);

describe('ingest(), across processes', () => {
  it('S09 of 16 processes that store the same blob one does it, and the others find it', async () => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    const results = await Promise.all(Array.from({ length: 16 }, async () => program.run({ args: [root, source] })));
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(Array.from({ length: 16 }, () => '0'));
    expect(results.filter(({ stdout }) => stdout.includes('stored'))).toHaveLength(1);
    expect(results.filter(({ stdout }) => stdout.includes('found'))).toHaveLength(15);
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(listTree(join(root, 'ingest'))).toEqual([]);
  });

  it('S25 goes on with what a killed process left', async () => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    await killWhenStopped([root, source, '2000000']);
    const { stdout } = await program.run({ args: [root, source] });
    expect(stdout).toBe('waits\noffset 2000000\nstored\n');
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(wrongBlobs(root)).toEqual([]);
  });

  it.each<[string, Buffer, string]>([
    ['what belongs to another digest', Buffer.from('something else'), 'ERR_INTEGRITY'],
    ['a wrong byte', Buffer.concat([LARGE.bytes.subarray(0, 100), Buffer.from('!')]), 'ERR_INTEGRITY'],
    ['all of it, verified and not renamed', LARGE.bytes, 'offset 5000000\nstored'],
    ['too much', Buffer.alloc(5_000_001), 'offset 0\nstored'],
    ['nothing', Buffer.alloc(0), 'offset 0\nstored'],
  ])('S25 with %s left in ingest/, stores what is right or throws, and works the next time', async (_, left, first) => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    fs.writeFileSync(join(root, 'ingest', digestHex(LARGE.descriptor.digest)), left);
    expect((await program.run({ args: [root, source] })).stdout).toContain(first);
    expect((await program.run({ args: [root, source] })).stdout).toMatch(/found|offset 0\nstored/);
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(wrongBlobs(root)).toEqual([]);
  });

  it('an ordinary user goes on with a file that is read-only already', requires('root'), async () => {
    const nobody = 65534;
    const { root } = await openTestStore();
    const source = writeSource(root);
    const left = join(root, 'ingest', digestHex(LARGE.descriptor.digest));
    fs.writeFileSync(left, LARGE.bytes, { mode: 0o444 });
    fs.chmodSync(dirname(root), 0o755);
    for (const path of [
      root,
      ...fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).map((p) => join(root, p)),
    ]) {
      fs.chownSync(path, nobody, nobody);
    }
    const { stdout } = await program.run({ args: [root, source], uid: nobody });
    expect(stdout).toBe('offset 5000000\nstored\n');
  });

  it('downloads beside a process that holds the file but has lost its advisory lock', async () => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    const path = join(root, 'ingest', digestHex(LARGE.descriptor.digest));
    const stuck = tryFileLock(path, 'exclusive');
    const { stdout } = await program.run({ args: [root, source] });
    expect(stdout).toBe('offset 0\nstored\n');
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(fs.statSync(path).size).toBe(0);
    stuck?.release();
  });

  it.each([
    ['S16 in the future', Date.now() + 86_400_000],
    ['S15 right now', Date.now()],
    ['S16 in the past', Date.now() - 86_400_000],
  ])('S15 gets by the advisory lock of a dead process, whose last heartbeat was %s', async (_, beat) => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    const lock = advisoryLockPath(join(root, 'ingest', digestHex(LARGE.descriptor.digest)));
    fs.mkdirSync(lock);
    fs.utimesSync(lock, beat / 1000, beat / 1000);
    const results = await Promise.all(Array.from({ length: 8 }, async () => program.run({ args: [root, source] })));
    expect(results.filter(({ stdout }) => stdout.includes('stored')).length).toBeGreaterThanOrEqual(1);
    expect(results.filter(({ stdout }) => stdout.includes('stored')).length).toBeLessThanOrEqual(2);
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(Array.from({ length: 8 }, () => '0'));
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(wrongBlobs(root)).toEqual([]);
  });

  it.each([
    ['S06 the first fsync fails', 'fsync:1:EIO', 'ERR_STORE'],
    ['S05 the disk is full at the third write', 'write:3:ENOSPC', 'ERR_NO_SPACE'],
    ['S05 the quota is used up at the third write', 'write:3:EDQUOT', 'ERR_NO_SPACE'],
    ['S05 the rename fails', 'rename:1:ENOSPC', 'ERR_NO_SPACE'],
    ['S05 the mode cannot be set', 'fchmod:1:EPERM', 'ERR_STORE'],
  ])('when %s, discards everything and names the path', async (_, fault, code) => {
    const { root, blobs } = await openTestStore();
    const source = writeSource(root);
    const { stdout } = await program.run({ args: [root, source], fault });
    expect(stdout).toContain(code);
    expect(stdout).toContain(`"${root}/`);
    expect(await blobs.stat(LARGE.descriptor.digest)).toBeUndefined();
    expect((await program.run({ args: [root, source] })).stdout).toContain('stored');
  });

  it('writes everything when the file system takes it in parts', async () => {
    const { root, blobs } = await openTestStore();
    const { stdout } = await program.run({ args: [root, writeSource(root)], fault: '::short' });
    expect(stdout).toBe('offset 0\nstored\n');
    expect(await blobs.has(LARGE.descriptor)).toBe(true);
    expect(wrongBlobs(root)).toEqual([]);
  });

  it('after a failed write can only be reset or ended, and gives its space back', async () => {
    const { root, blobs } = await openTestStore();
    const { stdout, stderr } = await insistent.run({ args: [root], fault: '' });
    const broken = 'This ingest is broken, good was wanted';
    expect(stdout + stderr).toBe(`ERR_NO_SPACE\n${broken}\n${broken}\nERR_STORE\n0 left\n`);
    expect(listBlobs(blobs)).toEqual([]);
  });

  it('writes in order: content, fsync, rename, fsync of the folder', async () => {
    const { root } = await openTestStore();
    const source = writeSource(root);
    const { stderr } = await program.run({ args: [root, source], logCalls: true });
    const hex = digestHex(LARGE.descriptor.digest);
    const calls = stderr.split('\n').filter((line) => /^(fchmod|fsync|rename) /.test(line));
    expect(calls).toEqual([
      `fchmod ${root}/ingest/${hex}`,
      `fsync ${root}/ingest/${hex}`,
      `rename ${root}/ingest/${hex}`,
      `fsync ${root}/blobs/sha256`,
    ]);
    expect(stderr.lastIndexOf('\nwrite ')).toBeLessThan(stderr.indexOf('\nfsync '));
  });
});

function writeSource(root: string): string {
  const source = join(dirname(root), 'source');
  fs.writeFileSync(source, LARGE.bytes, { mode: 0o644 });
  return source;
}

async function killWhenStopped(args: string[]): Promise<void> {
  const child = program.start({ args });
  for await (const line of createInterface(child.stdout)) if (line === 'stops') break;
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
