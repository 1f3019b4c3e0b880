import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

export interface ContainerIdFile {
  write: (id: string) => void;
  /** Removes the file again if there never was an ID. */
  close: () => void;
}

/**
 * `--cidfile`: makes the file at once, so that a second container cannot take it.
 * @throws {ToolError} ERR_USAGE with docker's texts
 */
export function createContainerIdFile(path: string): ContainerIdFile {
  const file = create(path);
  let isEmpty = true;
  return {
    write(id) {
      writeSync(file, id);
      isEmpty = false;
    },
    close() {
      closeSync(file);
      if (isEmpty) rmSync(path, { force: true });
    },
  };
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o666);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'EEXIST'
        ? `container ID file found, make sure the other container isn't running or delete ${printable(path)}`
        : `failed to create the container ID file: ${printable(message)}`;
    throw new ToolError('ERR_USAGE', reason, { cause: error });
  }
}
