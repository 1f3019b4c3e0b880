import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { rounds } from '../../support/soak.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import type { CliHome, Running } from '../support/cli-home.ts';
import { descendantsOf } from '../support/process-tree.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS, runFaulty, underInjector } from './faulty-run.ts';
import { succeed } from './operations.ts';
import { openHome } from './sweep.ts';

let images: FaultRegistry;

describe('a pull that is stopped (SIGSTOP) while it downloads', requires(...FAULT_NEEDS), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it('S15 S29 E5 holds up the others until it is killed; then one of them goes on from where it was', async () => {
    const { home, stopped } = await stopWhileDownloading();
    const waiting = Array.from({ length: rounds(6, 32) }, () => home.start(['pull', '-q', images.v1]));
    await expect.poll(() => requestsFor('/manifests/'), POLL).toHaveLength(1 + waiting.length);
    stopped.child.kill('SIGKILL');
    for (const { ended } of waiting) expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(requestsFor(images.base.digest).map(({ headers }) => headers['range'] !== undefined)).toEqual([false, true]);
    await expectWorking(home);
  });

  it('S16 S29 I7 is taken for dead after a while, and does no damage when it goes on', async () => {
    const { home, stopped, send } = await stopWhileDownloading();
    const waiting = home.start(['pull', '-q', images.v1]);
    await expect.poll(() => requestsFor('/manifests/'), POLL).toHaveLength(2);
    // Its heart has not beaten for a minute. Nobody waits that long in a test.
    const lastBeat = new Date(Date.now() - 60_000);
    utimesSync(`${ingestOf(home)}.lock`, lastBeat, lastBeat);
    expect(await waiting.ended).toMatchObject({ code: 0, stderr: '' });
    stopped.child.kill('SIGCONT');
    send();
    expect(await stopped.ended).toMatchObject({ code: 0, stderr: '' });
    await expectWorking(home);
  });
});

describe('a command that is stopped while it holds a lock that excludes others', requires(...FAULT_NEEDS), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it.each([
    { holder: 'pull', lock: 'the names', end: 'SIGCONT' },
    { holder: 'pull', lock: 'the names', end: 'SIGKILL' },
    { holder: 'rmi', lock: 'garbage collection', end: 'SIGCONT' },
    { holder: 'rmi', lock: 'garbage collection', end: 'SIGKILL' },
  ] as const)('E3 $holder with $lock: lists work, and the others go on after $end', async ({ holder, end }) => {
    const home = openHome();
    await succeed(home, ['pull', '-q', images.v1]);
    if (holder === 'rmi') await succeed(home, ['pull', '-q', images.v2]);
    const args = [...(holder === 'rmi' ? ['rmi'] : ['pull', '-q']), images.v2];
    const pid = await stopAtRename(home, args, holder === 'rmi' ? /\/trash\// : /\/index\.json$/);
    expect(await succeed(home, ['images', '-q'])).not.toBe('');
    const others = [
      home.mydocker(['pull', '-q', images.solo]),
      home.mydocker(['run', '--rm', images.v1, 'cat', '/data/owned']),
    ];
    process.kill(pid, end);
    for (const ended of await Promise.all(others)) expect(ended).toMatchObject({ code: 0, stderr: '' });
    await expectWorking(home);
    const again = await home.mydocker(args);
    expect(again.code === 0 || /No such image/.test(again.stderr)).toBe(true);
  });
});

const POLL = { timeout: 30_000 };

interface Stopped {
  home: CliHome;
  stopped: Running;
  /** Sends the rest of the layer that it waits for. */
  send: () => void;
}

async function stopWhileDownloading(): Promise<Stopped> {
  const home = openHome();
  images.registry.log.length = 0;
  const { send } = images.hold(images.base, images.base.bytes.length / 2);
  const stopped = home.start(['pull', '-q', images.v1]);
  onTestFinished(() => void stopped.child.kill('SIGKILL'));
  const file = ingestOf(home);
  await expect.poll(() => existsSync(file) && statSync(file).size, POLL).toBeGreaterThan(0);
  stopped.child.kill('SIGSTOP');
  return { home, stopped, send };
}

function ingestOf(home: CliHome): string {
  return join(home.store, 'ingest', images.base.digest.replace('sha256:', ''));
}

function requestsFor(part: string): { headers: Record<string, string> }[] {
  return images.registry.log.filter(({ path, method }) => method === 'GET' && path.includes(part));
}

/** Answers with the process that is stopped. */
async function stopAtRename(home: CliHome, args: string[], to: RegExp): Promise<number> {
  const model = openHome();
  await succeed(model, ['pull', '-q', images.v1]);
  if (args[0] === 'rmi') await succeed(model, ['pull', '-q', images.v2]);
  const { calls } = await runFaulty(model, args, { kinds: ['rename'] });
  const at = calls.findIndex(({ path }) => to.test(path)) + 1;
  expect(at).toBeGreaterThan(0);
  const report = join(home.folder, 'report.json');
  const running = home.start(args, underInjector(home, report, { kinds: ['rename'], at, effect: 'stop' }));
  const stopped = (): number | undefined => descendantsOf(running.pid).find(({ pid }) => isStopped(pid))?.pid;
  await expect.poll(stopped, POLL).toBeDefined();
  const pid = stopped() ?? 0;
  onTestFinished(async () => {
    await running.ended;
  });
  return pid;
}

function isStopped(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function expectWorking(home: CliHome): Promise<void> {
  expect(wrongBlobs(home.store)).toEqual([]);
  const ran = await home.mydocker(['run', '--rm', '--pull', 'never', images.v1, 'cat', '/data/owned']);
  expect(ran, basename(home.folder)).toEqual({ code: 0, stdout: 'owned', stderr: '' });
}
