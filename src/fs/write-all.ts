import fs from 'node:fs';

/**
 * Writes all of `bytes` at `position`. write(2) may take less than it is given, for one when the disk is about to be full.
 * `bytes` must stay as they are until the promise settles.
 */
export async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += await writeSome(fd, done === 0 ? bytes : bytes.subarray(done), position + done);
  }
}

async function writeSome(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, 0, bytes.length, position, (error, written) => {
      if (error) reject(error);
      else if (written === 0) reject(new Error('The file system took nothing of what it was to write'));
      else resolve(written);
    });
  });
}
