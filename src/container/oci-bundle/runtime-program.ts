import { constants } from 'node:fs';
import { dieWithParentSteps } from '../../linux/die-with-parent.ts';
import { MS } from '../../linux/mount-flags.ts';
import { AT, O } from '../../linux/path-flags.ts';
import { CLONE, FCNTL, SIGNAL } from '../../linux/process-flags.ts';
import { rawInputSteps } from '../../linux/pseudo-terminal.ts';
import type { Program, Step } from '../../linux/program.ts';
import { userNamespaceSteps } from '../../linux/user-namespace.ts';
import { printable } from '../../printable.ts';
import { DEFAULT_PATH } from '../environment.ts';
import type { Sysctl } from '../parse-sysctl.ts';
import type { PlanRequest } from '../plan-container.ts';
import { contentGuardSteps } from '../steps/content-guard.ts';
import { enterSteps } from '../steps/namespaces.ts';
import { privateNetworkSteps } from '../steps/private-network.ts';
import { mountRootSteps } from '../steps/root-file-system.ts';
import { sysctlSteps } from '../steps/sysctls.ts';
import { openTerminalSteps, prepareTerminalSteps } from '../steps/terminal.ts';
import { imageVolumeSteps } from '../steps/volumes.ts';
import { makeWorkingFolderSteps } from '../steps/working-folder.ts';
import { PROGRAM_DESCRIPTOR } from './bundle-init.ts';
import type { RuntimeGroups } from './runtime-groups.ts';

export interface RuntimeLaunch {
  /** The runtime, an absolute path. */
  path: string;
  /** Its arguments. */
  args: readonly string[];
  /** A folder for its state, absolute, which appears empty and is gone with the runtime. */
  state: string;
  groups: RuntimeGroups;
  /** A file that the runtime is to hand on open: see bundle-init.ts. */
  initProgram?: string | undefined;
}

type Surroundings = Pick<
  PlanRequest,
  | ('folder' | 'lock' | 'gcLock' | 'layers' | 'root' | 'ownership' | 'privileged' | 'readOnlyRoot')
  | ('imageVolumes' | 'workingFolder' | 'terminal' | 'network' | 'sysctls')
>;

/**
 * What a runtime is started in: the container's user namespace; a process namespace, with which everything ends when this
 * process does; and a mount namespace that has the fresh copy in it, so that nothing stays mounted. Pure.
 */
export function runtimeProgram(request: Surroundings, launch: RuntimeLaunch): Program {
  const { terminal, ownership, folder, privileged } = request;
  const rootless = ownership.kind !== 'root';
  return [
    ...contentGuardSteps(request),
    ...(terminal === undefined ? [] : prepareTerminalSteps(terminal)),
    ...userNamespaceSteps(ownership),
    ...(request.network === 'private' ? [...privateNetworkSteps(), ...networkSettings(request.sysctls)] : []),
    ...forkSteps(),
    ...enterSteps({ network: 'host' }), // that of a container without one is the runtime's to make
    ...(terminal === undefined ? [] : [...openTerminalSteps(terminal), ...rawInputSteps(0)]),
    ...viewSteps(launch),
    ...mountRootSteps({ folder, ...request.root, nosuid: rootless, devices: privileged && !rootless }),
    // The container's root is the current folder now.
    ...withinRoot([
      ...imageVolumeSteps(request.imageVolumes, request.readOnlyRoot),
      ...makeWorkingFolderSteps(request.workingFolder),
    ]),
    ...startSteps(launch),
  ];
}

/** A runtime refuses them where the namespace is not of its making. */
function networkSettings(sysctls: readonly Sysctl[]): Step[] {
  const [what, save] = ['open the settings of the kernel', 'proc'];
  return [
    { call: 'openat', args: [AT.FDCWD, '/proc', O.PATH | O.CLOEXEC], save, what },
    ...sysctlSteps(sysctls.filter(({ namespace }) => namespace === 'network')),
  ];
}

function forkSteps(): Step[] {
  return [
    { call: 'chdir', args: ['/'], what: 'change to the root folder' },
    { call: 'clone', args: [CLONE.NEWNS | CLONE.NEWPID | SIGNAL.CHLD], fork: true, what: 'create namespaces' },
  ];
}

const NO_PROGRAMS = MS.NOSUID | MS.NODEV | MS.NOEXEC;

/** What the runtime sees of the machine besides the host's files: its own processes, state and control groups. */
function viewSteps({ state, groups }: RuntimeLaunch): Step[] {
  return [
    { call: 'mount', args: ['proc', '/proc', 'proc', NO_PROGRAMS], what: 'mount /proc' },
    { call: 'mount', args: ['tmpfs', state, 'tmpfs', NO_PROGRAMS, 'mode=700'], what: "mount the runtime's state" },
    ...groups.hidden.map((mount): Step => ({
      call: 'mount',
      args: ['tmpfs', mount, 'tmpfs', NO_PROGRAMS, 'mode=755'],
      what: `hide ${printable(mount)}`,
    })),
    ...groups.binds.map(({ group, mount }): Step => ({
      call: 'mount',
      args: [group, mount, 0, MS.BIND],
      what: `show the control group ${printable(group)} alone`,
    })),
  ];
}

/** With the current folder as the root, from which no path of the image leads; and back to the host's, where the runtime is. */
function withinRoot(steps: readonly Step[]): Step[] {
  const [what, host] = ['look into the root of the container', 'root of the host'];
  const flags = O.PATH | O.CLOEXEC | constants.O_DIRECTORY;
  return [
    { call: 'openat', args: [AT.FDCWD, '/', flags], save: host, what },
    { call: 'chroot', args: ['.'], what },
    ...steps,
    { call: 'fchdir', args: [{ result: host }], what },
    { call: 'chroot', args: ['.'], what },
  ];
}

/** The call of the step that becomes the runtime is the only one of its kind. */
export const START_RUNTIME = 'execve';

function startSteps({ path, args, initProgram }: RuntimeLaunch): Step[] {
  const [argv, envp] = [{ pointers: [path, ...args] }, { pointers: [`PATH=${DEFAULT_PATH}`] }];
  return [
    { call: 'chdir', args: ['/'], what: 'change to the root folder' },
    ...(initProgram === undefined ? [] : handOnSteps(initProgram)),
    ...dieWithParentSteps(),
    { call: START_RUNTIME, args: [path, argv, envp], what: `start the runtime "${printable(path)}"` },
  ];
}

function handOnSteps(file: string): Step[] {
  const what = 'open the program of the init process';
  const opened = { result: 'init program' };
  return [
    { call: 'openat', args: [AT.FDCWD, file, constants.O_RDWR | O.CLOEXEC], save: opened.result, what },
    { call: 'dup3', args: [opened, PROGRAM_DESCRIPTOR, 0], ignore: ['EINVAL'], what }, // it has that number already
    { call: 'fcntl', args: [PROGRAM_DESCRIPTOR, FCNTL.SETFD, 0], what },
  ];
}
