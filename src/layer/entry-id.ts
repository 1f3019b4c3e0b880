/** Which entry of an archive it is. */
export interface EntryId {
  /** Counts entries from 0. */
  index: number;
  /** As in the archive, not cleaned. */
  name: string;
}
