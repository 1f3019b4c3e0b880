import type { CliCommand } from './command-spec.ts';

export interface CommandEntry {
  about: string;
  /** Loads the command: each has a bundle of its own, as a start that reads them all takes three times as long. */
  load: () => Promise<CliCommand>;
}

/** A word that has commands below it, or a command. */
export interface CommandGroup {
  about: string;
  commands: Readonly<Record<string, CommandEntry>>;
  /** What the word does alone, or with flags of its own. */
  alone?: CommandEntry;
}

const PULL: CommandEntry = {
  about: 'Download an image from a registry',
  load: async () => (await import('./commands/pull.ts')).pullCommand,
};
const RUN: CommandEntry = {
  about: 'Create and run a new container from an image',
  load: async () => (await import('./commands/run.ts')).runCommand,
};
const ATTACH: CommandEntry = {
  about: 'Attach local standard input, output, and error streams to a running container',
  load: async () => (await import('./commands/attach.ts')).attachCommand,
};
const IMAGES: CommandEntry = {
  about: 'List images',
  load: async () => (await import('./commands/images.ts')).imagesCommand,
};
const RMI: CommandEntry = {
  about: 'Remove one or more images',
  load: async () => (await import('./commands/rmi.ts')).rmiCommand,
};
const TAG: CommandEntry = {
  about: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  load: async () => (await import('./commands/tag.ts')).tagCommand,
};
const PROTECT: CommandEntry = {
  about: 'Protect images against rmi and prune',
  load: async () => (await import('./commands/protect.ts')).protectCommand,
};
const UNPROTECT: CommandEntry = {
  about: 'End the protection of images',
  load: async () => (await import('./commands/protect.ts')).unprotectCommand,
};
const PULLS: CommandEntry = {
  about: 'List partial downloads',
  load: async () => (await import('./commands/pulls.ts')).pullsCommand,
};
const PULLS_RM: CommandEntry = {
  about: 'Remove partial downloads',
  load: async () => (await import('./commands/pulls-rm.ts')).pullsRmCommand,
};
const PS: CommandEntry = {
  about: 'List containers',
  load: async () => (await import('./commands/ps.ts')).psCommand,
};
const RM: CommandEntry = {
  about: 'Remove one or more containers',
  load: async () => (await import('./commands/rm.ts')).rmCommand,
};
const STOP: CommandEntry = {
  about: 'Stop one or more running containers',
  load: async () => (await import('./commands/stop.ts')).stopCommand,
};
const KILL: CommandEntry = {
  about: 'Kill one or more running containers',
  load: async () => (await import('./commands/kill.ts')).killCommand,
};
const LOGIN: CommandEntry = {
  about: 'Authenticate to a registry',
  load: async () => (await import('./commands/login.ts')).loginCommand,
};
const LOGOUT: CommandEntry = {
  about: 'Log out from a registry',
  load: async () => (await import('./commands/logout.ts')).logoutCommand,
};
const PRUNE: CommandEntry = {
  about: 'Remove unused images',
  load: async () => (await import('./commands/prune.ts')).pruneCommand,
};
const CONTAINER_PRUNE: CommandEntry = {
  about: 'Remove all stopped containers',
  load: async () => (await import('./commands/container-prune.ts')).containerPruneCommand,
};
const SYSTEM_PRUNE: CommandEntry = {
  about: 'Remove unused data',
  load: async () => (await import('./commands/system-prune.ts')).systemPruneCommand,
};
const SYSTEM_DF: CommandEntry = {
  about: 'Show disk usage',
  load: async () => (await import('./commands/system-df.ts')).systemDfCommand,
};
const VERIFY: CommandEntry = {
  about: 'Find, and repair, what is damaged in the store',
  load: async () => (await import('./commands/verify.ts')).verifyCommand,
};
const DOCTOR: CommandEntry = {
  about: 'Show what containers lack on this machine, and how to get it',
  load: async () => (await import('./commands/doctor.ts')).doctorCommand,
};
const VERSION: CommandEntry = {
  about: 'Show the version information',
  load: async () => (await import('./commands/version.ts')).versionCommand,
};

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: RUN,
  attach: ATTACH,
  ps: PS,
  pull: PULL,
  images: IMAGES,
  stop: STOP,
  kill: KILL,
  rm: RM,
  rmi: RMI,
  login: LOGIN,
  logout: LOGOUT,
  tag: TAG,
  prune: PRUNE,
  verify: VERIFY,
  doctor: DOCTOR,
  version: VERSION,
};

export const GROUPS: Readonly<Record<string, CommandGroup>> = {
  container: {
    about: 'Manage containers',
    commands: {
      attach: ATTACH,
      kill: KILL,
      ls: PS,
      list: PS,
      prune: CONTAINER_PRUNE,
      ps: PS,
      rm: RM,
      remove: RM,
      run: RUN,
      stop: STOP,
    },
  },
  image: {
    about: 'Manage images',
    commands: {
      ls: IMAGES,
      list: IMAGES,
      protect: PROTECT,
      prune: PRUNE,
      pull: PULL,
      rm: RMI,
      remove: RMI,
      rmi: RMI,
      tag: TAG,
      unprotect: UNPROTECT,
      verify: VERIFY,
    },
  },
  pulls: {
    about: 'Manage partial downloads',
    commands: { ls: PULLS, list: PULLS, rm: PULLS_RM, remove: PULLS_RM },
    alone: PULLS,
  },
  system: { about: 'Manage MyDocker', commands: { df: SYSTEM_DF, doctor: DOCTOR, prune: SYSTEM_PRUNE } },
};

/** Other words for a command of the same group, left out of the group's help. */
export const HIDDEN: ReadonlySet<string> = new Set(['list', 'ps', 'remove', 'rmi']);
