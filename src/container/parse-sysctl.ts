import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** A setting of the kernel that belongs to one of the container's namespaces. */
export interface Sysctl {
  /** Below /proc/sys: `net/ipv4/ip_forward`. */
  path: string;
  value: string;
  /** Whose namespace has it. */
  namespace: 'ipc' | 'network' | 'uts';
}

/** As docker and runc take them: https://docs.docker.com/reference/cli/docker/container/run/#sysctl */
const IPC = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel.${name}`,
  ),
);

/**
 * Reads one `--sysctl`: `NAME=VALUE` with dots between the parts of the name.
 * @throws {ToolError} ERR_USAGE for a setting that is the whole machine's
 */
export function parseSysctl(text: string): Sysctl {
  const equals = text.indexOf('=');
  const [name, value] = equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  const namespace = namespaceOf(name);
  // Parts of a path: what a name may not hold is what would lead elsewhere.
  if (equals === -1 || namespace === undefined || !/^[\w-]+(\.[\w:@-]+)+$/.test(name) || /[\0\n]/.test(value)) {
    throw new ToolError('ERR_USAGE', `sysctl '${printable(text)}' is not allowed`, {
      hint: 'Those of a container of its own are net.*, fs.mqueue.*, kernel.domainname, kernel.msg*, kernel.sem and kernel.shm*.',
    });
  }
  return { path: name.replaceAll('.', '/'), value, namespace };
}

function namespaceOf(name: string): Sysctl['namespace'] | undefined {
  if (name.startsWith('net.')) return 'network';
  if (name === 'kernel.domainname') return 'uts';
  return IPC.has(name) || name.startsWith('fs.mqueue.') ? 'ipc' : undefined;
}
