import { capabilityBit } from '../../linux/capabilities.ts';
import { UNLIMITED } from '../parse-ulimit.ts';
import { INIT_COMMAND } from './bundle-init.ts';
import type { BundleRequest } from './bundle-request.ts';
import type { OciLimit, OciProcess } from './oci-config.ts';

/** Who runs what, with which rights: docker's for the same options. */
export function bundleProcess(request: BundleRequest): OciProcess {
  const { user, terminal, ownership, permitted } = request;
  const capabilities = request.capabilities
    .filter((name) => ownership.kind !== 'root' || (permitted >> BigInt(capabilityBit(name))) & 1n)
    .map((name) => `CAP_${name}`);
  const kept = user.uid === 0 ? capabilities : [];
  return {
    terminal: terminal !== undefined,
    ...(terminal === undefined ? {} : { consoleSize: { width: terminal.size.columns, height: terminal.size.rows } }),
    user: {
      uid: user.uid,
      gid: user.gid,
      additionalGids: ownership.kind === 'single' ? [] : user.groups, // with one id there are no others
    },
    args: request.init ? [...INIT_COMMAND] : [...request.command],
    env: [...request.environment],
    cwd: request.workingFolder,
    // Inheritable ones would pass to programs with file capabilities (CVE-2022-24769).
    capabilities: { bounding: capabilities, effective: kept, permitted: kept, inheritable: [] },
    rlimits: limitsOf(request),
    noNewPrivileges: request.noNewPrivileges,
    ...(request.oomScoreAdj === undefined ? {} : { oomScoreAdj: request.oomScoreAdj }),
  };
}

const FILES = { soft: 1024n, hard: 524_288n };

/** As `limitSteps` has them: docker's, as far as the caller's own limits allow, and then the user's. */
function limitsOf({ hardLimits, ulimits }: BundleRequest): OciLimit[] {
  const { files = FILES.hard, core = UNLIMITED } = hardLimits ?? {};
  const limits = new Map<string, OciLimit>([
    ['NOFILE', { type: 'RLIMIT_NOFILE', ...(files < FILES.hard ? { soft: files, hard: files } : FILES) }],
    ['CORE', { type: 'RLIMIT_CORE', soft: 0n, hard: core === UNLIMITED ? UNLIMITED : 0n }],
  ]);
  for (const { resource, soft, hard: most } of ulimits) {
    limits.set(resource, { type: `RLIMIT_${resource}`, soft, hard: most });
  }
  return [...limits.values()];
}
