import { booleanFlag, stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';

/** The flags before the command's word. */
export const GLOBAL_FLAGS: Readonly<Record<'help' | 'version', Flag<boolean>>> & { home: Flag<string | undefined> } = {
  help: booleanFlag({ short: 'h', about: 'Print usage', hidden: true }),
  home: stringFlag({ about: 'Folder of the store (default ~/.mydocker, or $MYDOCKER_HOME)', placeholder: 'dir' }),
  version: booleanFlag({ short: 'v', about: 'Print version information and quit' }),
};
