import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished } from 'vitest';

import { rounds, seed } from '../../support/soak.ts';
import { diffTrees, type Tree } from '../../support/tree-listing.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import { openCliHome, type CliHome } from '../support/cli-home.ts';
import { execute } from '../support/execute.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { CALL_KINDS, runFaulty, type CountedCall, type Fault, type FaultyEnd } from './faulty-run.ts';
import { collectGarbage, type Operation } from './operations.ts';
import { brokenPromises, storeState } from './store-state.ts';

export interface Sweep {
  operation: Operation;
  faults: readonly SweptFault[];
  /** Who runs it; root where it is left out. */
  user?: string | undefined;
  /** Looks at how the disturbed command has ended. */
  onEnd?: (ended: FaultyEnd, home: CliHome, where: string) => void;
}

/** A fault that comes at one call after the other. */
export interface SweptFault extends Omit<Fault, 'at'> {
  effect: string;
  /** At how many calls in a normal run, spread over all of them; in the long one it comes at each. */
  points: number;
}

/**
 * Disturbs a command at one call after the other, each time from the same store, until it is over before it comes to that.
 * Each time: nothing that is there is broken (I1 to I3), no process and no mount is left, listing works, the same command works
 * when it is not disturbed, and what then is in the store is what is there without any of this.
 */
export async function sweep(sweep: Sweep): Promise<void> {
  const { operation, user } = sweep;
  const images = await startFaultRegistry();
  onTestFinished(async () => images.close());
  const before = openHome(user);
  await operation.prepare?.(before, images);
  const undisturbed = copyOf(before, user);
  const counted = await runFaulty(undisturbed, operation.args(images), { kinds: CALL_KINDS });
  expect(counted).toMatchObject({ code: 0, stderr: '' });
  await collectGarbage(undisturbed, images);
  const wanted = storeState(undisturbed.store);
  for (const fault of sweep.faults) {
    const total = counted.calls.filter((call) => counts(call, fault)).length;
    if (total === 0 && fault.ofChildren === true) continue; // a command that does all of it itself
    const step = rounds(Math.ceil(total / fault.points), 1);
    const first = 1 + (seed % step);
    const disturbAt = async (at: number): Promise<boolean> =>
      disturb({ ...sweep, fault: { ...fault, at }, images, wanted, before });
    let at = first;
    while (await disturbAt(at)) at += step;
    // A few calls more or less are made from run to run, so that the last ones may not come.
    if (at === first) expect(await disturbAt(Math.ceil(first / 2)), 'it comes to one at least').toBe(true);
  }
}

function counts({ kind, byChild }: CountedCall, { kinds, ofChildren }: SweptFault): boolean {
  return kinds.includes(kind) && (ofChildren !== true || byChild);
}

interface Disturbance extends Sweep {
  fault: Fault;
  images: FaultRegistry;
  /** The store after an undisturbed run. */
  wanted: Tree;
  before: CliHome;
}

/** Answers false if there are not that many calls. */
async function disturb(disturbance: Disturbance): Promise<boolean> {
  const { operation, fault, images, wanted, before, user } = disturbance;
  const home = copyOf(before, user);
  const args = operation.args(images);
  const ended = await runFaulty(home, args, fault);
  const where = `${fault.effect} at call ${fault.at}: ${ended.hit?.call} ${ended.hit?.path}`;
  expect(ended.survivors, where).toEqual([]);
  if (ended.hit === undefined) {
    expect(ended, where).toMatchObject({ code: 0, stderr: '' });
    return false;
  }
  disturbance.onEnd?.(ended, home, where);
  expect(wrongBlobs(home.store), where).toEqual([]);
  expect(brokenPromises(home.store, wanted), where).toEqual([]);
  expect(await home.mydocker(['images', '-a']), where).toMatchObject({ code: 0, stderr: '' });
  const again = await home.mydocker(args);
  if (operation.alreadyDone?.test(again.stderr) !== true) expect(again, where).toMatchObject({ code: 0, stderr: '' });
  anHourPasses(home);
  expect(await home.mydocker(['ps', '-a', '-q']), where).toEqual({ code: 0, stdout: '', stderr: '' });
  await collectGarbage(home, images);
  expect(diffTrees(wanted, storeState(home.store)), where).toEqual([]);
  home.remove();
  return true;
}

/** A container that was being made when its maker was killed counts as left over after a while, if nobody can tell that it was. */
function anHourPasses(home: CliHome): void {
  const containers = join(home.store, 'containers');
  if (!existsSync(containers)) return;
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const name of readdirSync(containers)) utimesSync(join(containers, name), longAgo, longAgo);
}

function copyOf(before: CliHome, user: string | undefined): CliHome {
  const home = openHome(user);
  execute('sh', ['-c', 'if [ -e "$0" ]; then cp -a "$0" "$1"; fi', before.store, home.store]);
  return home;
}

/** In memory, where syncing costs nothing; removed with the test at the latest. */
export function openHome(user?: string): CliHome {
  const home = openCliHome(user, '/dev/shm');
  let isThere = true;
  const remove = (): void => {
    if (isThere) home.remove();
    isThere = false;
  };
  onTestFinished(remove);
  return { ...home, remove };
}
