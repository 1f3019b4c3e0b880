import { booleanFlag, stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';
import { offlineFlag } from './offline.ts';

/** The flags before the command's word. */
export const GLOBAL_FLAGS: Readonly<Record<'help' | 'version', Flag<boolean>>> & {
  home: Flag<string | undefined>;
  offline: Flag<boolean | undefined>;
} = {
  help: booleanFlag({ short: 'h', about: 'Print usage', hidden: true }),
  home: stringFlag({ about: 'Folder of the store (default ~/.mydocker, or $MYDOCKER_HOME)', placeholder: 'dir' }),
  offline: offlineFlag,
  version: booleanFlag({ short: 'v', about: 'Print version information and quit' }),
};
