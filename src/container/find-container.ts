import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { holderOf } from './container-name.ts';
import { listIds } from './container-record.ts';

/**
 * The id of the container that `text` names: its id, its name, or the first characters of its id, in that order, as docker.
 * @throws {ToolError} ERR_NO_SUCH_CONTAINER; ERR_USAGE if several ids start so
 */
export function findContainer(containers: string, text: string): string {
  const ids = listIds(containers);
  if (ids.includes(text)) return text;
  const named = holderOf(containers, text.replace(/^\//, ''));
  if (named !== undefined && ids.includes(named)) return named;
  const matches = /^[0-9a-f]+$/.test(text) ? ids.filter((id) => id.startsWith(text)) : [];
  const [match] = matches;
  if (matches.length > 1) {
    throw new ToolError('ERR_USAGE', `Multiple IDs found with provided prefix: ${printable(text)}`, {
      hint: 'Give more characters of the ID.',
    });
  }
  if (match === undefined) throw new ToolError('ERR_NO_SUCH_CONTAINER', `No such container: ${printable(text)}`);
  return match;
}
