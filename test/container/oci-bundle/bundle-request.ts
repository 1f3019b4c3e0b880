import type { BundleRequest } from '../../../src/container/oci-bundle/bundle-request.ts';
import { DEFAULT_CAPABILITIES } from '../../../src/linux/capabilities.ts';

export const MAPPED = {
  kind: 'mapped',
  uids: [{ inside: 0, outside: 1000, count: 1 }],
  gids: [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ],
} as const;
export const SINGLE = { kind: 'single', uid: 1000, gid: 1000 } as const;

/** Of a container of root without any options. */
export const BUNDLE_REQUEST: BundleRequest = {
  folder: '/store/containers/id',
  lock: 3,
  gcLock: '/store/gc.lock',
  layers: ['/store/layers/one'],
  root: {
    mount: { type: 'overlay', options: ['lowerdir=l/0', 'upperdir=upper', 'workdir=work'] },
    attributes: { uid: 0, gid: 0, mode: 0o755 },
  },
  readOnlyRoot: false,
  ownership: { kind: 'root' },
  permitted: (1n << 41n) - 1n,
  lastCapability: 40,
  user: { uid: 0, gid: 0, groups: [0, 10], home: '/root' },
  command: ['sh', '-c', 'true'],
  environment: ['PATH=/bin', 'A=1'],
  workingFolder: '/',
  hostname: 'box',
  network: 'host',
  pid: 'private',
  ipc: 'private',
  mounts: [],
  imageVolumes: [],
  shmSize: 67_108_864,
  pipes: [],
  nulls: [],
  thermalCpus: [],
  noNewPrivileges: false,
  protectSystemPaths: true,
  privileged: false,
  capabilities: DEFAULT_CAPABILITIES,
  ulimits: [],
  sysctls: [],
  init: false,
  seccomp: undefined,
  limits: {},
  cgroupsPath: '/mydocker/id',
  hardLimits: undefined,
  hostIpcFolders: ['/dev/shm'],
  mountFlags: new Map(),
  devices: new Map(),
};
