// Layers of a wanted number of files and bytes, that compress about as well as those of real images.
import { spawn } from 'node:child_process';
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { pack } from 'tar-stream';

/**
 * A layer with `files` files of `size` bytes on average, 50 in a folder, and the `extra` entries of [header, content]. Another `seed`
 * gives other contents; the same gives the same. `noise` does not compress. Answers with {archive, digest, diffId}: the gzipped bytes, their digest, and the digest of what is in them.
 */
export async function makeLayer({ seed, files = 0, size = 0, extra = [], noise = false }) {
  const archive = pack();
  const hash = createHash('sha256');
  const compressed = await Promise.all([
    compress(archive, hash),
    writeEntries(archive, { source: files === 0 ? EMPTY : contents(seed, noise), seed, files, size, extra }),
  ]).then(([bytes]) => bytes);
  const digest = createHash('sha256').update(compressed).digest('hex');
  return { archive: compressed, digest: `sha256:${digest}`, diffId: `sha256:${hash.digest('hex')}` };
}

async function writeEntries(archive, { source, seed, files, size, extra }) {
  for (const [header, content] of extra) await add(archive, { ...OWNED, ...header }, content);
  for (let index = 0; index < files; index += 1) {
    // Sizes as in real images: many small files, and few large ones. Their mean is `size`.
    const length = Math.round(size * SIZES[index % SIZES.length]);
    const start = (index * STRIDE) % (source.length - length);
    const name = `data-${seed}/${Math.floor(index / 50)}/file-${index}`;
    await add(archive, { ...OWNED, name }, source.subarray(start, start + length));
  }
  archive.finalize();
}

const SIZES = [0.02, 0.05, 0.05, 0.1, 0.2, 0.4, 0.7, 1, 2.48, 5]; // mean 1
const STRIDE = 104_729;
const OWNED = { uid: 0, gid: 0, mtime: new Date('2026-01-01T00:00:00Z') };

async function add(archive, header, content) {
  await new Promise((resolve, reject) => {
    archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
  });
}

const EMPTY = Buffer.alloc(0);
const SOURCE_SIZE = 64 * 1024 * 1024; // bytes

/** Words: gzip makes a third of them, and inflates them as fast as the programs in /usr/bin. Or noise. */
function contents(seed, noise) {
  const result = Buffer.alloc(SOURCE_SIZE);
  const key = (name) => createHmac('sha512', seed).update(name).digest();
  if (noise) return createCipheriv('aes-128-ctr', key('key').subarray(0, 16), Buffer.alloc(16)).update(result);
  const words = Array.from({ length: 640 }, (_, index) => key(`${index}`));
  let state = 1;
  for (let at = 0; at < result.length;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const word = words[(state >>> 8) % words.length];
    at += word.copy(result, at, 0, 3 + ((state >>> 24) & 31));
  }
  return result;
}

/** pigz where there is one: the images take half as long to make. */
async function compress(archive, hash) {
  const pigz = spawn('pigz', ['-c', '-6'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const isThere = await new Promise((resolve) => {
    pigz.once('spawn', () => resolve(true));
    pigz.once('error', () => resolve(false));
  });
  const gzip = isThere ? pigz.stdin : createGzip();
  const [bytes] = await Promise.all([
    buffer(isThere ? pigz.stdout : gzip),
    pipeline(
      archive,
      async function* hashed(chunks) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      gzip,
    ),
  ]);
  return bytes;
}
