/** Sizes are in bytes. */
export interface UsageTotals {
  total: number;
  /** Images with containers, containers that run, downloads that a process is at. */
  active: number;
  bytes: number;
  /** What removing everything gives back that may be removed. */
  reclaimableBytes: number;
}
