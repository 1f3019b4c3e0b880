/** What a container may use of the machine, enforced by control groups. All can be left out. */
export interface ResourceLimits {
  /** Bytes. */
  memory?: number | undefined;
  /** Bytes of memory and swap together; -1 without limit. Twice the memory unless given, as with docker. */
  memorySwap?: number | undefined;
  /** Thousandths of a processor. */
  milliCpus?: number | undefined;
  /** Relative weight, 2 to 262144; 1024 is what all have. */
  cpuShares?: number | undefined;
  /** `0-3,5` */
  cpusetCpus?: string | undefined;
  /** Processes and threads; -1 without limit. */
  pids?: number | undefined;
}
