/**
 * The parts of a bundle's config.json that are used here, in the words of the OCI runtime specification:
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md, https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config-linux.md
 */
export interface OciConfig {
  ociVersion: string;
  process: OciProcess;
  root: { path: string; readonly: boolean };
  hostname: string;
  mounts: OciMount[];
  linux: OciLinux;
}

export interface OciProcess {
  terminal: boolean;
  consoleSize?: { width: number; height: number };
  user: { uid: number; gid: number; additionalGids: number[] };
  args: string[];
  env: string[];
  cwd: string;
  capabilities: { bounding: string[]; effective: string[]; permitted: string[]; inheritable: string[] };
  rlimits: OciLimit[];
  noNewPrivileges: boolean;
  oomScoreAdj?: number;
}

/** Without limit it is 2 ** 64 - 1, which no number of JavaScript is. */
export interface OciLimit {
  type: string;
  soft: bigint;
  hard: bigint;
}

export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface OciLinux {
  namespaces: { type: 'cgroup' | 'ipc' | 'mount' | 'network' | 'pid' | 'uts' }[];
  /** Absolute, below where the runtime sees the hierarchies mounted. */
  cgroupsPath?: string;
  resources: OciResources;
  sysctl: Record<string, string>;
  seccomp?: OciSeccomp;
  maskedPaths: string[];
  readonlyPaths: string[];
}

export interface OciResources {
  devices: OciDeviceRule[];
  memory?: { limit: number; swap?: number };
  cpu?: { shares?: number; quota?: number; period?: number; cpus?: string };
  pids?: { limit: number };
}

export interface OciDeviceRule {
  allow: boolean;
  type?: 'b' | 'c';
  major?: number;
  minor?: number;
  access: string;
}

export interface OciSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures: string[];
  syscalls: OciSeccompRule[];
}

export interface OciSeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: bigint; valueTwo?: bigint; op: string }[];
}
