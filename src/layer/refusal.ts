import type { ErrorCode } from '../errors.ts';

export type RefusalCode = Extract<
  ErrorCode,
  'ERR_LAYER' | 'ERR_LIMIT' | 'ERR_NO_SPACE' | 'ERR_STORE' | 'ERR_STORE_DAMAGED' | 'ERR_UNSUPPORTED' | 'ERR_HOST'
>;

export interface RefusalOptions {
  /** ERR_LAYER unless given: the archive is malformed or hostile. */
  code?: RefusalCode;
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * Why a layer is not unpacked, thrown where it is found. `applyLayer` adds the entry at which it happened.
 * The message is a clause without the subject: `it has no name`.
 */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly hint: string | undefined;

  constructor(reason: string, options: RefusalOptions = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Refusal';
    this.code = options.code ?? 'ERR_LAYER';
    this.hint = options.hint;
  }
}
