/** What a caller may branch on. Messages are for people and may change; codes may not. */
export type ErrorCode =
  | 'ERR_USAGE' // the request itself is malformed
  | 'ERR_REFERENCE' // not an image reference
  | 'ERR_DIGEST' // not a digest, or of an unsupported algorithm
  | 'ERR_MANIFEST' // malformed or contradictory manifest, index or image config
  | 'ERR_UNSUPPORTED' // well-formed, but of a kind that is refused by name
  | 'ERR_PLATFORM' // the index has nothing for the wanted platform
  | 'ERR_INTEGRITY' // size or digest differ from the descriptor
  | 'ERR_REGISTRY' // the registry answered with an error
  | 'ERR_AUTH' // access denied, or no usable credentials
  | 'ERR_NETWORK' // no (complete) answer came
  | 'ERR_OFFLINE' // the network was needed, and must not be used
  | 'ERR_LAYER' // a layer that cannot be unpacked safely
  | 'ERR_LIMIT' // larger than a stated limit
  | 'ERR_STORE' // the store cannot be used
  | 'ERR_STORE_DAMAGED' // something in the store is not what it should be
  | 'ERR_NO_SPACE' // the disk or quota is full
  | 'ERR_CONFLICT' // something else is using it
  | 'ERR_NO_SUCH_IMAGE'
  | 'ERR_NO_SUCH_CONTAINER'
  | 'ERR_NO_SUCH_DOWNLOAD'
  | 'ERR_HOST' // the machine lacks something that is needed
  | 'ERR_CONTAINER' // a container cannot be set up
  | 'ERR_VOLUME' // a folder over a file, or a file over a folder; exit code 127, as docker's
  | 'ERR_COMMAND_NOT_FOUND' // exit code 127
  | 'ERR_COMMAND_NOT_EXECUTABLE' // exit code 126
  | 'ERR_ABORTED'; // the caller's signal

export interface ToolErrorOptions {
  /** What the reader can do about it, a sentence. */
  hint?: string;
  cause?: unknown;
}

/** Every error that this engine throws on purpose. Message: `Cannot <verb> "<subject>": <what is, and what was wanted>`. */
export class ToolError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: ToolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ToolError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Content that is not what its descriptor says. Sizes are in bytes. */
export class IntegrityError extends ToolError {
  readonly expected: string;
  readonly actual: string;

  constructor(message: string, expected: string, actual: string, options: ToolErrorOptions = {}) {
    super('ERR_INTEGRITY', message, options);
    this.name = 'IntegrityError';
    this.expected = expected;
    this.actual = actual;
  }
}

/** An answer of a registry. `url` is redacted: neither user info nor query. */
export class RegistryError extends ToolError {
  readonly method: string;
  readonly url: string;
  readonly status: number;

  constructor(
    code: 'ERR_REGISTRY' | 'ERR_AUTH',
    message: string,
    request: { method: string; url: string; status: number },
    options: ToolErrorOptions = {},
  ) {
    super(code, message, options);
    this.name = 'RegistryError';
    this.method = request.method;
    this.url = request.url;
    this.status = request.status;
  }
}

/** A layer that is refused. `entry` is the raw name in the archive, `index` counts entries from 0. */
export class LayerError extends ToolError {
  readonly reason: string;
  readonly entry: string | undefined;
  readonly index: number | undefined;

  constructor(message: string, at: { reason: string; entry?: string; index?: number }, options: ToolErrorOptions = {}) {
    super('ERR_LAYER', message, options);
    this.name = 'LayerError';
    this.reason = at.reason;
    this.entry = at.entry;
    this.index = at.index;
  }
}

/** Whether `error` is a ToolError, of one of `codes` where any are given. */
export function isToolError(error: unknown, ...codes: ErrorCode[]): error is ToolError {
  return error instanceof ToolError && (codes.length === 0 || codes.includes(error.code));
}
