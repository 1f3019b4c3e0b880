import { ToolError } from '../errors.ts';
import { readHostFacts } from './host-facts.ts';
import type { HostFacts } from './host-facts.ts';
import { namespaceObstacle, obstacleText } from './obstacles.ts';
import { StepError } from './step-error.ts';

/**
 * ERR_HOST with what forbids it and what mends that, for a step that creates namespaces or maps ids; undefined for any other error.
 * @param readFacts is asked for facts about this process only then
 */
export function namespaceError(
  error: unknown,
  readFacts: () => Pick<HostFacts, 'userNamespaceObstacle' | 'isFiltered'> = readHostFacts,
): ToolError | undefined {
  if (!(error instanceof StepError) || !isAboutNamespaces(error)) return undefined;
  const { code, call, message } = error;
  const { userNamespaceObstacle, isFiltered } = readFacts();
  const obstacle = userNamespaceObstacle ?? namespaceObstacle({ code, call, isFiltered });
  return new ToolError('ERR_HOST', message, { cause: error, hint: obstacleText(obstacle) });
}

function isAboutNamespaces({ call, what, code }: StepError): boolean {
  return code !== 'ENOSYS' && (NAMESPACE_CALLS.has(call) || what.startsWith('write /proc/self/'));
}

const NAMESPACE_CALLS: ReadonlySet<string> = new Set(['clone', 'unshare']);
