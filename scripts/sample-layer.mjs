// The layer of a small image, made of this machine's own binaries.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

import { pack } from 'tar-stream';

const TOOLS = ['cat', 'echo', 'env', 'hostname', 'id', 'ls', 'ps', 'sh', 'sleep', 'uname'];
const NEEDED = ['echo', 'ls', 'sh'];

/** Answers with the gzipped tar, and with what it is made of, for a person. A static busybox is taken where there is one. */
export async function makeSampleLayer() {
  const files = busyboxFiles();
  if (files !== undefined) return { contents: 'a static busybox', layer: gzipSync(await tarOf(files)) };
  return { contents: "this machine's shell and a few tools", layer: await makeToolLayer() };
}

/** The layer for a machine without a static busybox: a shell and a few tools, with the libraries that they are linked to. */
export async function makeToolLayer() {
  return gzipSync(await tarOf(toolFiles()));
}

/** Path in the image -> bytes, or the target of a symbolic link; undefined where there is no static busybox. */
function busyboxFiles() {
  const busybox = findTool('busybox');
  if (busybox === undefined || librariesOf(busybox).length > 0) return undefined;
  const files = new Map([['/bin/busybox', readFileSync(busybox)]]);
  for (const tool of TOOLS) files.set(`/bin/${tool}`, 'busybox');
  return files;
}

function toolFiles() {
  const files = new Map();
  for (const tool of TOOLS) {
    const path = findTool(tool);
    if (path === undefined && NEEDED.includes(tool))
      throw new Error(`Cannot make the sample image: there is no "${tool}" on the PATH`);
    if (path === undefined) continue;
    files.set(`/bin/${tool}`, readFileSync(path));
    for (const library of librariesOf(path)) files.set(library, readFileSync(library));
  }
  return files;
}

function findTool(name) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/bin', '/usr/bin']) {
    try {
      const path = realpathSync(join(folder, name));
      accessSync(path, constants.R_OK | constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** Absolute paths of the libraries and the dynamic linker, as `ldd` lists them; none for a static program. */
function librariesOf(program) {
  let listed;
  try {
    listed = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return []; // "not a dynamic executable"
  }
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+)(?= \()/gm)].map(([, path]) => path);
}

async function tarOf(files) {
  const archive = pack();
  const folders = new Set(['/dev', '/etc', '/proc', '/root', '/sys', '/tmp', ...[...files.keys()].flatMap(foldersOf)]);
  for (const folder of [...folders].toSorted()) {
    archive.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode: folder === '/tmp' ? 0o1777 : 0o755 });
  }
  archive.entry({ name: 'etc/passwd' }, 'root:x:0:0:root:/root:/bin/sh\n');
  archive.entry({ name: 'etc/group' }, 'root:x:0:\n');
  for (const [path, content] of files) {
    const name = path.slice(1);
    if (typeof content === 'string') archive.entry({ name, type: 'symlink', linkname: content });
    else archive.entry({ name, mode: 0o755 }, content);
  }
  archive.finalize();
  return buffer(archive);
}

/** '/lib64/x/y.so' -> ['/lib64/x', '/lib64']. */
function foldersOf(path) {
  const folder = dirname(path);
  return folder === '/' ? [] : [folder, ...foldersOf(folder)];
}
