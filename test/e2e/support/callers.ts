import { PLAIN_USER, SUBID_USER } from '../../support/test-users.ts';

/** Who runs containers: each works in another way inside. `user` is undefined for root. */
export const CALLERS: { caller: string; user: string | undefined }[] = [
  { caller: 'root', user: undefined },
  { caller: 'a user with subordinate ids', user: SUBID_USER },
  { caller: 'a user without subordinate ids', user: PLAIN_USER },
];

/** Those that can give a container more than one user id. */
export const CALLERS_WITH_IDS: { caller: string; user: string | undefined }[] = CALLERS.slice(0, 2);
