import { READ_ONLY_REMEDY } from '../../../fs/disk-error.ts';
import { findMount } from '../../../fs/find-mount.ts';
import { humanSize } from '../../../human-size.ts';
import { NOEXEC_STORE } from '../../../linux/obstacles.ts';
import { printable } from '../../../printable.ts';
import { note, obstructed, ok, problem } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'store' | 'mountinfo'> & { trials: Pick<MachineFacts['trials'], 'overlay'> };

/** Where images are kept and containers run. */
export function checkStore(facts: Facts): HostFinding[] {
  const { store, mountinfo } = facts;
  const { refusal, folder } = store;
  const mount = findMount(folder, mountinfo);
  const flags = mount?.flags ?? [];
  const restrictions = RESTRICTIONS.filter((flag) => flags.includes(flag));
  const where = [
    `${printable(folder, Infinity)} on ${printable(mount?.type ?? 'an unknown file system')}`,
    ...restrictions,
  ];
  return [
    refusal === undefined
      ? usable(where.join(', '), flags)
      : problem('store', refusal.problem, { remedy: refusal.remedy, meaning: NO_STORE }),
    space(store),
    ...(refusal === undefined ? layers(facts, flags) : []),
    runner(store),
  ];
}

function usable(where: string, flags: readonly string[]): HostFinding {
  if (!flags.includes('ro')) return ok('store', where);
  return problem('store', where, { meaning: NO_STORE, remedy: READ_ONLY_REMEDY });
}

const NO_STORE = 'images cannot be kept, and containers cannot run';

const RESTRICTIONS = ['ro', 'nosuid', 'nodev', 'noexec'] as const;

const LITTLE_BYTES = 1e9; // an image of a language's tools, unpacked
const FEW_FILES = 20_000; // the same

function space({ freeBytes, freeFiles, maxFiles }: Facts['store']): HostFinding {
  if (Number.isNaN(freeBytes)) return ok('disk space', 'is not known');
  const hasFewFiles = maxFiles > 0 && freeFiles < FEW_FILES;
  const free = `${humanSize(freeBytes, 4)} free`;
  const found = maxFiles > 0 ? `${free}, ${freeFiles} files` : free;
  if (freeBytes >= LITTLE_BYTES && !hasFewFiles) return ok('disk space', found);
  return note('disk space', found, {
    meaning: 'larger images cannot be pulled',
    remedy: 'mydocker system prune, or put the store elsewhere with --home or MYDOCKER_HOME',
  });
}

const SLOWER = 'each container starts with a copy of its image, which takes longer and more space';

/** How the fresh copy of an image comes about. */
function layers({ store: { driver, folder }, trials: { overlay } }: Facts, flags: readonly string[]): HostFinding[] {
  if (overlay === 'untried') return [];
  if (driver !== undefined && (driver === 'overlay') !== (overlay === undefined)) return [outdated(driver, folder)];
  if (overlay === undefined) return [ok('layers', 'overlay: containers share the files of their image')];
  const copied = note('layers', `copy, as overlayfs does not work: ${overlay.problem}`, {
    meaning: SLOWER,
    remedy: 'use Linux 5.11 or newer, and put the store on ext4, xfs, btrfs or tmpfs with --home or MYDOCKER_HOME',
  });
  if (flags.includes('noexec')) return [copied, obstructed('layers', NOEXEC_STORE)];
  if (!flags.includes('nosuid')) return [copied];
  const meaning = 'set-user-ID programs of images, such as su, get no privileges';
  return [copied, note('layers', 'the store is mounted nosuid', { meaning, remedy: 'mount it without nosuid' })];
}

/** Whether overlayfs works is tried once for a store, a kernel and a kind of user. */
function outdated(driver: NonNullable<Facts['store']['driver']>, folder: string): HostFinding {
  const remedy = `delete ${printable(folder, Infinity)}/runner/driver.json, and it is tried again`;
  return driver === 'copy'
    ? note('layers', 'copy, as overlayfs did not work when it was tried; now it does', { meaning: SLOWER, remedy })
    : problem('layers', 'overlay, as overlayfs worked when it was tried; now it does not', { remedy });
}

function runner({ runner: place, folder }: Facts['store']): HostFinding {
  if (typeof place !== 'string') return problem('runner', place.problem, { remedy: place.remedy });
  if (place.startsWith(`${folder}/`)) return ok('runner', 'is executed from the store');
  return note(
    'runner',
    `is executed from ${printable(place.replace(/\/[^/]*\/[^/]*$/, ''), Infinity)}, not from the store`,
    {
      meaning: 'each start writes it anew',
      remedy: 'mount the file system of the store without noexec',
    },
  );
}
