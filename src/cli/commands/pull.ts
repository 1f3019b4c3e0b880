import { formatReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { defineCommand } from '../define-command.ts';
import type { CliCommand } from '../command-spec.ts';
import { booleanFlag, integerFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { insecureRegistryFlag, platformFlag, wantedPlatform } from '../network-flags.ts';
import { offlineFlag, withOffline } from '../offline.ts';
import { createPullProgress } from '../progress/pull-progress.ts';

const flags = {
  'insecure-registry': insecureRegistryFlag,
  'max-concurrent-downloads': integerFlag({ about: 'How many layers to download at a time (default 3)', least: 1 }),
  offline: offlineFlag,
  platform: platformFlag,
  quiet: booleanFlag({ short: 'q', about: 'Suppress verbose output' }),
};

export const pullCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
    about: 'Download an image from a registry',
    paths: ['image pull', 'pull'],
    flags,
    takes: [1, 1],
  },
  async ({ flags: { quiet, ...given }, operands: [name = ''] }, context) => {
    const { stdout, env, home } = context;
    const asked = parseReference(name);
    const reference = withDefaultTag(asked);
    if (reference.tag !== asked.tag && !quiet) stdout.write(`Using default tag: ${reference.tag}\n`);
    return interruptible(context, async (interrupts) => {
      const progress = createPullProgress(quiet ? { ...stdout, write: () => undefined } : stdout, context.now);
      try {
        await context.engine.pull(formatReference(reference), {
          home,
          env: withOffline(env, given.offline),
          insecureRegistries: given['insecure-registry'],
          platform: wantedPlatform(given.platform, env),
          maxConcurrentDownloads: given['max-concurrent-downloads'],
          signal: interrupts.signal,
          onProgress: progress.onEvent,
        });
      } finally {
        progress.stop();
      }
      stdout.write(`${formatReference(reference)}\n`);
      return 0;
    });
  },
);
