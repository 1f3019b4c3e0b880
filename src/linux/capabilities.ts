/** Bit numbers of the capabilities, without `CAP_`: include/uapi/linux/capability.h, complete up to Linux 6.18. */
const BITS = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10,
  NET_BROADCAST: 11,
  NET_ADMIN: 12,
  NET_RAW: 13,
  IPC_LOCK: 14,
  IPC_OWNER: 15,
  SYS_MODULE: 16,
  SYS_RAWIO: 17,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_PACCT: 20,
  SYS_ADMIN: 21,
  SYS_BOOT: 22,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TIME: 25,
  SYS_TTY_CONFIG: 26,
  MKNOD: 27,
  LEASE: 28,
  AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30,
  SETFCAP: 31,
  MAC_OVERRIDE: 32,
  MAC_ADMIN: 33,
  SYSLOG: 34,
  WAKE_ALARM: 35,
  BLOCK_SUSPEND: 36,
  AUDIT_READ: 37,
  PERFMON: 38,
  BPF: 39,
  CHECKPOINT_RESTORE: 40,
} as const;

/** A capability without its `CAP_` prefix. */
export type Capability = keyof typeof BITS;

export const CAPABILITIES: readonly Capability[] = Object.keys(BITS) as Capability[];

/** What Docker leaves to a container: 14 capabilities, 0xa80425fb. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_CHROOT',
  'MKNOD',
  'AUDIT_WRITE',
  'SETFCAP',
];

export function capabilityBit(capability: Capability): number {
  return BITS[capability];
}

/** `NET_ADMIN`, `cap_net_admin` and `CAP_NET_ADMIN` are the same; undefined when there is none of that name (`ALL` included). */
export function parseCapability(text: string): Capability | undefined {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  return Object.hasOwn(BITS, name) ? (name as Capability) : undefined;
}

/** The set as /proc/<pid>/status shows it in hexadecimal. */
export function capabilityMask(capabilities: Iterable<Capability>): bigint {
  let mask = 0n;
  for (const capability of capabilities) mask |= 1n << BigInt(BITS[capability]);
  return mask;
}

/** Whether all of `capabilities` are in the set `mask`. */
export function hasCapabilities(mask: bigint, capabilities: Iterable<Capability>): boolean {
  const wanted = capabilityMask(capabilities);
  return (mask & wanted) === wanted;
}

/** First argument of capset(2): struct __user_cap_header_struct, version 3, this process. */
export function capsetHeader(): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(0x20080522, 0); // _LINUX_CAPABILITY_VERSION_3
  return bytes;
}

/** Second argument of capset(2): two struct __user_cap_data_struct, low words first. */
export function capsetData(sets: { effective: bigint; permitted: bigint; inheritable: bigint }): Buffer {
  const bytes = Buffer.alloc(24);
  for (const [index, set] of [sets.effective, sets.permitted, sets.inheritable].entries()) {
    bytes.writeUInt32LE(Number(set & 0xffffffffn), index * 4);
    bytes.writeUInt32LE(Number(set >> 32n), 12 + index * 4);
  }
  return bytes;
}
