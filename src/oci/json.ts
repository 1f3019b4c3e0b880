import { isUtf8 } from 'node:buffer';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { checkJsonStructure } from './json-structure.ts';

/** Bytes. What registries and engines agree on for manifests, and more than any real image config. */
export const MAX_DOCUMENT_BYTES: number = 4 * 1024 * 1024;

/**
 * Reads a JSON document on which every reader has to agree: strict UTF-8 without a byte order mark, bounded in size and
 * depth, no key twice. `what` names the document in errors. Throws ERR_MANIFEST, or ERR_LIMIT when it is too large.
 *
 * Keys such as `__proto__` become ordinary own properties; read the result with `field` of fields.ts.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new ToolError(
      'ERR_LIMIT',
      `Cannot parse "${printable(what)}": it has ${bytes.length} bytes, ${MAX_DOCUMENT_BYTES} are allowed`,
    );
  }
  const text = decodeUtf8(bytes, what);
  const problem = checkJsonStructure(text);
  if (problem !== undefined) throw malformed(what, problem);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(what, `it is not valid JSON (${error instanceof Error ? error.message : String(error)})`, error);
  }
}

/** The error for a document, or for the part of one that `where` names, that is not what it has to be. */
export function malformed(where: string, problem: string, cause?: unknown): ToolError {
  return new ToolError('ERR_MANIFEST', `Cannot parse "${printable(where)}": ${printable(problem)}`, { cause });
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw malformed(what, 'it starts with a byte order mark');
  }
  // Not by a TextDecoder that throws: making one takes longer than decoding a manifest.
  if (!isUtf8(bytes)) throw malformed(what, 'it is not UTF-8 text');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
