// Builds dist/: the library (tsc), the command line (esbuild) and its child processes.
//   node scripts/build.mjs              all of it
//   node scripts/build.mjs --no-types   without the library and its type check, in a second
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const staging = join(root, `dist.${process.pid}`);

/** What the outputs have in common. Stack traces stay readable: nothing is minified. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.20',
  external: ['koffi'], // has a native part
  logLevel: 'warning',
  metafile: true,
  write: false,
};

/** In a CommonJS file the URL of the module is that of the file; sources find other parts of dist/ relative to it. */
const META_URL = {
  define: { 'import.meta.url': '__importMetaUrl' },
  banner: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
};

/**
 * A shell script and JavaScript at once, for the `--` that `#!/usr/bin/env node` has no room for: without it, Node takes an
 * `--env-file` after the script for its own, ends when the file is missing, and obeys a NODE_OPTIONS in it
 * (https://github.com/nodejs/node/issues/54232). It also keeps NODE_EXTRA_CA_CERTS from a Node that would parse all certificates at
 * its start: src/cli/caller-environment.ts puts it back for what needs it. Collecting garbage in one thread is for pulls: the buffers of
 * a download make V8 collect often, and four threads that look at a small heap cost more than they save.
 */
const LAUNCHER = `#!/bin/sh
":" //; ${[
  'if [ -n "$NODE_EXTRA_CA_CERTS" ]',
  'then export MYDOCKER_NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"',
  'unset NODE_EXTRA_CA_CERTS',
  'fi',
  'exec node --single-threaded-gc -- "$0" "$@"',
].join('; ')}
`;

/**
 * Parts of Node that packages load and that are not made use of here: commander runs other programs as subcommands (4 ms of each
 * command), undici speaks HTTP/2 where it is asked to (5 ms; it gets by without it where Node was built without it).
 */
const UNUSED = [
  { name: 'node:child_process', by: '/node_modules/commander/', contents: 'module.exports = {};' },
  { name: 'node:http2', by: '/node_modules/undici/', contents: "throw new Error('not in this bundle');" },
];

const LEAVE_OUT_UNUSED = {
  name: 'leave-out-unused',
  setup(bundling) {
    bundling.onResolve({ filter: /^node:/ }, ({ path, importer }) => {
      const isUnused = UNUSED.some(({ name, by }) => path === name && importer.includes(by));
      return isUnused ? { path, namespace: 'unused' } : undefined;
    });
    bundling.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => {
      return { contents: UNUSED.find(({ name }) => name === path).contents };
    });
  },
};

/** Where esbuild copies all of a module of Node's, property by property, for its default export: 2 ms of each start. */
const COPIED_BUILTIN = /__toESM\(require\("(node:[\w/]+)"\)\)/g;

/**
 * The end of each piece that esbuild makes. It becomes an object of what is exported: esbuild would make a getter of each, a function more,
 * and copy them all for each piece, 2.5 ms of a start. No piece is used before it has run, and no export changes.
 */
const EXPORTS = /^export \{\n([^}]*)\};\n/m;

const PROGRAM = 'mydocker.cjs';
const COMPILED = '.compiled';

/** Where the pieces of a program are that it always needs. */
const piecesOf = (program) => program.replace(/\.cjs$/, '.pieces.cjs');

/**
 * All that a program's own file has. Runs each piece once, whichever files have it. Beside each file of pieces lies what V8 compiles it
 * to: a V8 of another version, or with other flags, does not take that, and compiles the file anew.
 */
const loaderOf = (program) => `const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const pieces = {};
const modules = new Map();
function read(name) {
  const filename = __dirname + '/' + name;
  const code = { filename, cachedData: readFileSync(filename + '${COMPILED}') };
  for (const [other, piece] of Object.entries(new Script(readFileSync(filename, 'utf8'), code).runInThisContext())) pieces[other] ??= piece;
}
function load(name) {
  if (!name.startsWith('./')) return require(name);
  if (modules.has(name)) return modules.get(name).exports;
  if (!(name in pieces)) read(name);
  const module = { exports: {} };
  modules.set(name, module);
  pieces[name](module, module.exports, load, __filename);
  return module.exports;
}
read('${piecesOf(program)}');
load('./${program}');
`;

try {
  await mkdir(join(staging, 'bin'), { recursive: true });
  if (!process.argv.includes('--no-types')) await buildLibrary();
  const packages = [...(await buildCommandLine()), ...(await buildChildren())];
  await copyFile(join(root, 'src/linux/seccomp/docker-default.json'), join(staging, 'seccomp-default.json'));
  await writeFile(join(staging, 'THIRD-PARTY-LICENSES'), await licenses([...new Set(packages)].sort()));
  await rm(dist, { recursive: true, force: true });
  await rename(staging, dist);
} finally {
  await rm(staging, { recursive: true, force: true });
}

async function buildLibrary() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', root, '--outDir', staging], { stdio: 'inherit' });
  if (status !== 0) throw new Error('Cannot build the library: see above');
  await rm(join(staging, 'cli'), { recursive: true }); // no part of the library; what is run is bundled
}

/**
 * A small program, and beside it a file for each `import()` in the sources, which is loaded when it comes to that. Such a file
 * brings all that it needs and the program does not have: few files start faster than many, and CommonJS faster than ES modules.
 */
async function buildCommandLine() {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: { mydocker: 'src/cli/bin.ts' },
    outdir: join(staging, 'bin'),
    format: 'esm', // the only one that esbuild cuts into pieces
    splitting: true,
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    plugins: [LEAVE_OUT_UNUSED],
  });
  const pieces = new Map();
  for (const { path, text } of outputFiles) pieces.set(basename(path), await toCommonJs(text));
  const imports = importsOf(metafile);
  const program = closure(PROGRAM, imports);
  for (const name of new Set([...imports.values()].flatMap(({ lazy }) => lazy))) {
    const own = closure(name, imports).filter((piece) => !program.includes(piece));
    await writePieces(join(staging, 'bin', name), own, pieces);
  }
  await writePieces(join(staging, 'bin', piecesOf(PROGRAM)), program, pieces);
  const path = join(staging, 'bin', PROGRAM);
  await writeFile(path, LAUNCHER + loaderOf(PROGRAM));
  await chmod(path, 0o755);
  return packagesOf(metafile);
}

async function toCommonJs(text) {
  const { code } = await transform(text.replace(EXPORTS, assignExports), {
    format: 'cjs',
    target: common.target,
    platform: 'node',
    supported: { 'dynamic-import': false }, // becomes require(), which does not start the loader of ES modules
    ...(text.includes('import.meta.url') ? META_URL : {}),
  });
  return code.replaceAll(COPIED_BUILTIN, (_, builtin) => {
    return `Object.create(require("${builtin}"), { default: { value: require("${builtin}") } })`;
  });
}

function assignExports(_, list) {
  const rows = list.split(',\n').map((row) => row.trim().replace(/^(\S+) as (\S+)$/, '$2: $1'));
  return `module.exports = { ${rows.join(', ')} };\n`;
}

/** Of each piece: the others that it needs at once, and those that it loads when it comes to that. */
function importsOf({ outputs }) {
  const entries = Object.entries(outputs).map(([path, { imports }]) => {
    const names = (kind) =>
      imports.filter((one) => one.kind === kind && !one.external).map((one) => basename(one.path));
    return [basename(path), { now: names('import-statement'), lazy: names('dynamic-import') }];
  });
  return new Map(entries);
}

function closure(name, imports, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  return [...imports.get(name).now.flatMap((other) => closure(other, imports, seen)), name];
}

/** A file with an object of functions, and what V8 makes of it: all of it, as compiling takes longer than loading what is not needed. */
async function writePieces(path, own, pieces) {
  const row = (piece) =>
    `${JSON.stringify(`./${piece}`)}: function (module, exports, require, __filename) {\n${pieces.get(piece)}}`;
  const source = `({\n${own.map(row).join(',\n')}\n})\n`;
  setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename: basename(path) });
  setFlagsFromString('--lazy'); // before it is written: V8 compares its flags with those that were set then
  await writeFile(path, source);
  await writeFile(path + COMPILED, script.createCachedData());
}

/**
 * The processes that unpack and copy layers, and that look after a container. One piece each: nothing can be loaded once a process has
 * changed its root, and one file starts fastest.
 */
async function buildChildren() {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: {
      'unpack-child': 'src/layer/unpack-child.ts',
      'copy-child': 'src/snapshot/copy-child.ts',
      'bin/supervisor': 'src/cli/supervisor.ts', // beside the program: both find other parts of dist/ from there
    },
    outdir: staging,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: META_URL.define,
    banner: { js: META_URL.banner },
  });
  for (const { path, text } of outputFiles) {
    const program = basename(path);
    await writePieces(join(dirname(path), piecesOf(program)), [program], new Map([[program, text]]));
    await writeFile(path, loaderOf(program));
  }
  return packagesOf(metafile);
}

function packagesOf({ inputs }) {
  const matches = Object.keys(inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return matches.filter((name) => name !== undefined);
}

/** The licences of what is in the bundles, which ask to be passed on with it. */
async function licenses(packages) {
  const texts = packages.map(async (name) => {
    const folder = join(root, 'node_modules', name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const text = file === undefined ? `License: ${license}\n` : await readFile(join(folder, file), 'utf8');
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
