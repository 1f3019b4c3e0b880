import type { TestOptions } from 'vitest';

import { requires } from '../../support/requirements.ts';
import type { Caller } from './box.ts';

/** Each kind of caller, with what the machine must have for it. */
export const CALLERS: readonly { caller: Caller; needs: TestOptions }[] = [
  { caller: 'root', needs: requires('root', 'static-busybox') },
  { caller: 'mapped', needs: requires('root', 'static-busybox', 'userns', 'ordinary-users') },
  { caller: 'single', needs: requires('root', 'static-busybox', 'userns', 'ordinary-users') },
];
