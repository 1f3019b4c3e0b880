import type { ErrorCode } from '../errors.ts';
import type { EntryId } from './entry-id.ts';

export type RefusalCode = Extract<
  ErrorCode,
  'ERR_LAYER' | 'ERR_LIMIT' | 'ERR_NO_SPACE' | 'ERR_STORE' | 'ERR_STORE_DAMAGED' | 'ERR_UNSUPPORTED' | 'ERR_HOST'
>;

export interface RefusalOptions {
  /** ERR_LAYER unless given: the archive is malformed or hostile. */
  code?: RefusalCode;
  hint?: string | undefined;
  cause?: unknown;
  /** The entry that is at fault, if it is not the one that is being read. */
  entry?: EntryId;
}

/**
 * Why a layer is not unpacked, thrown where it is found. `applyLayer` adds the entry at which it happened.
 * The message is a clause without the subject: `it has no name`.
 */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly hint: string | undefined;
  readonly entry: EntryId | undefined;

  constructor(reason: string, options: RefusalOptions = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Refusal';
    this.code = options.code ?? 'ERR_LAYER';
    this.hint = options.hint;
    this.entry = options.entry;
  }
}
