import type { ResourceLimits } from '../limits/resource-limits.ts';
import type { PlanRequest } from '../plan-container.ts';
import type { OciSeccomp } from './oci-config.ts';

/** What a config.json is written from: all that a plan is made from, in forms that a runtime takes. */
export interface BundleRequest extends Omit<PlanRequest, 'controlGroups' | 'systemCallFilter'> {
  /** Undefined: the command may use all system calls. */
  seccomp: OciSeccomp | undefined;
  limits: ResourceLimits;
  /** Where the runtime is to make or find the container's control groups; undefined: where it is itself. */
  cgroupsPath: string | undefined;
  /** Hard limits of this process, which it cannot raise; undefined where it can. */
  hardLimits: HardLimits | undefined;
  /** Folders of the host's shared memory and message queues that exist. */
  hostIpcFolders: readonly string[];
  /** Of the mounts that hold the user's volumes, by their sources: they hold for the volumes as well. */
  mountFlags: ReadonlyMap<string, readonly string[]>;
  /** Of the devices among the mounts, by their sources. */
  devices: ReadonlyMap<string, DeviceNumber>;
}

export interface HardLimits {
  /** Open files. */
  files: bigint;
  /** Bytes of a core file. */
  core: bigint;
}

export interface DeviceNumber {
  type: 'b' | 'c';
  major: number;
  minor: number;
}
