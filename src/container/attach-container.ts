import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { findContainer } from './find-container.ts';
import { isLocked } from './list-containers.ts';
import { openConnection } from './session/connection.ts';
import type { Connection } from './session/connection.ts';
import { PROTOCOL_VERSION } from './session/message.ts';
import { connectInFolder } from './session/session-socket.ts';

/**
 * Connects with the terminal of a container that runs.
 * @param container name, ID or the first characters of the ID
 * @throws {ToolError} ERR_NO_SUCH_CONTAINER, ERR_CONFLICT for one that does not run or has no terminal that could be shared
 */
export async function attachContainer(containers: string, container: string): Promise<Connection> {
  const id = findContainer(containers, container);
  const stream = await connectInFolder(join(containers, id));
  if (stream === undefined) throw cannotAttach(container, isLocked(containers, id) ?? false);
  const connection = openConnection(stream);
  void connection.send({ kind: 'attach', version: PROTOCOL_VERSION });
  return connection;
}

function cannotAttach(container: string, isRunning: boolean): ToolError {
  if (!isRunning) return new ToolError('ERR_CONFLICT', 'cannot attach to a stopped container, start it first');
  return new ToolError(
    'ERR_CONFLICT',
    `Cannot attach to "${printable(container)}": its streams belong to the command that runs it`,
    {
      hint: 'Only containers that were started with "run -i -t" can be attached to.',
    },
  );
}
