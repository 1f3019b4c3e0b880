// npm run demo: MyDocker's main job on this machine alone, without internet. Pulls a small image from a registry on
// loopback, runs commands in it, then does so again with the registry gone. Needs Node, npm and util-linux; no root.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { makeSampleLayer } from './sample-layer.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist/bin/mydocker.cjs');

/** Thrown where the demo shows something else than it should. */
class DemoError extends Error {}

const folder = await mkdtemp(join(tmpdir(), 'mydocker-demo-'));
const env = { ...process.env, MYDOCKER_HOME: join(folder, 'store') };
let exitCode = 0;
try {
  await demonstrate();
} catch (error) {
  console.error(error instanceof DemoError ? `\n${error.message}` : error);
  exitCode = 1;
}
await rm(folder, { recursive: true, force: true }).catch((error) => console.error(`Cannot clean up: ${error.message}`));
process.exit(exitCode); // where it failed, the registry still listens

async function demonstrate() {
  if (!existsSync(CLI)) await call([process.execPath, join(ROOT, 'scripts/build.mjs')], 'builds dist/');
  const { contents, layer } = await makeSampleLayer();
  const registry = await serve(layer);
  const image = `${registry.host}/demo/hello`;
  say(`A sample image of ${contents} is served on ${registry.host}. Nothing here needs the internet.`);

  await mydocker('pull', image);
  await mydocker('run', '--rm', image, '/bin/echo', 'hey');
  expect(await mydocker('run', '--rm', image, '/bin/sh', '-c', '/bin/ls /'), /^bin$/m, 'the image has a /bin');

  await registry.close();
  say('The registry is stopped now. What was pulled needs no network:');
  await runOffline(image);

  expect(await mydocker('images'), /demo\/hello/, 'the image is listed');
  await mydocker('rmi', image);
  say('With internet access the same works for any image: mydocker run --rm alpine echo hey');
}

/** In an empty network namespace where the kernel grants one that the store can be used in; without a registry in any case. */
async function runOffline(image) {
  const unshare = ['unshare', '--net', ...(process.getuid() === 0 ? [] : ['--map-root-user'])];
  const probe = [...unshare, process.execPath, CLI, 'run', '--rm', '--pull', 'never', image, '/bin/sh', '-c', 'exit 0'];
  const granted = (await run(probe, { silent: true })).code === 0;
  const command = ['mydocker', 'run', '--rm', '--pull', 'never', image, '/bin/echo', 'hey again'];
  expect(await call(granted ? [...unshare, ...command] : command), /^hey again$/m, 'the second run says so');
  if (!granted) say('(No empty network namespace could be made around it here, so only the registry was gone.)');
}

/** The in-process registry of the tests, with the image in it. It is TypeScript, which Node 20 does not run: esbuild bundles it. */
async function serve(layer) {
  const outfile = join(folder, 'registry.mjs');
  const entry = join(ROOT, 'test/support/registry/index.ts');
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  await writeFile(outfile, outputFiles[0].contents);
  const { putImage, startRegistry } = await import(pathToFileURL(outfile).href);

  const registry = await startRegistry();
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
  putImage(registry, 'demo/hello', 'latest', {
    architecture,
    created: new Date().toISOString(),
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    layers: [{ bytes: layer }],
  });
  return registry;
}

async function mydocker(...args) {
  return call(['mydocker', ...args]);
}

/** Shows a command as a person would type it, runs it, and answers with its stdout; a failure ends the demo. */
async function call(command, remark) {
  console.log(`\n$ ${command.map(quote).join(' ')}${remark === undefined ? '' : `   # ${remark}`}`);
  const { code, stdout } = await run(
    command.flatMap((word) => (word === 'mydocker' ? [process.execPath, CLI] : [word])),
  );
  if (code !== 0) throw new DemoError(`The demo stops here: the command above ended with ${code}.`);
  return stdout;
}

async function run([program, ...args], { silent = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', silent ? 'ignore' : 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (!silent) process.stdout.write(chunk);
    });
    child.on('error', (error) => (silent ? resolve({ code: 127, stdout }) : reject(error)));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, stdout }));
  });
}

function expect(stdout, pattern, what) {
  if (!pattern.test(stdout)) throw new DemoError(`The demo expected that ${what}, and that is not what it saw.`);
}

function say(text) {
  console.log(`\n${text}`);
}

function quote(word) {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
