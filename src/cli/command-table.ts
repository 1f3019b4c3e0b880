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
}

const PULL: CommandEntry = {
  about: 'Download an image from a registry',
  load: async () => (await import('./commands/pull.ts')).pullCommand,
};
const RUN: CommandEntry = {
  about: 'Create and run a new container from an image',
  load: async () => (await import('./commands/run.ts')).runCommand,
};
const IMAGES: CommandEntry = {
  about: 'List images',
  load: async () => (await import('./commands/images.ts')).imagesCommand,
};
const RMI: CommandEntry = {
  about: 'Remove one or more images',
  load: async () => (await import('./commands/rmi.ts')).rmiCommand,
};
const PS: CommandEntry = {
  about: 'List containers',
  load: async () => (await import('./commands/ps.ts')).psCommand,
};
const RM: CommandEntry = {
  about: 'Remove one or more containers',
  load: async () => (await import('./commands/rm.ts')).rmCommand,
};
const VERIFY: CommandEntry = {
  about: 'Find, and repair, what is damaged in the store',
  load: async () => (await import('./commands/verify.ts')).verifyCommand,
};
const VERSION: CommandEntry = {
  about: 'Show the version information',
  load: async () => (await import('./commands/version.ts')).versionCommand,
};

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: RUN,
  ps: PS,
  pull: PULL,
  images: IMAGES,
  rm: RM,
  rmi: RMI,
  verify: VERIFY,
  version: VERSION,
};

export const GROUPS: Readonly<Record<string, CommandGroup>> = {
  container: { about: 'Manage containers', commands: { ls: PS, list: PS, ps: PS, rm: RM, remove: RM, run: RUN } },
  image: {
    about: 'Manage images',
    commands: { ls: IMAGES, list: IMAGES, pull: PULL, rm: RMI, remove: RMI, rmi: RMI, verify: VERIFY },
  },
};

/** Other words for a command of the same group, left out of the group's help. */
export const HIDDEN: ReadonlySet<string> = new Set(['list', 'ps', 'remove', 'rmi']);
