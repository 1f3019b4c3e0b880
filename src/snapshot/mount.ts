/** What a snapshot driver hands to the container side. Relative paths are relative to the container's folder. */
export type Mount =
  | { type: 'overlay'; /** For mount(2); always far below the page that the kernel takes. */ options: string[] }
  | { type: 'bind'; source: string };

export interface PrepareOptions {
  /** The container's own folder: everything that the snapshot needs is made in it. */
  folder: string;
  /** The layers' folders (…/layers/<hex>), bottom first, at least one. */
  layers: string[];
  /** The snapshot is thrown away after the run, so nothing in it has to survive a crash. */
  ephemeral: boolean;
  signal?: AbortSignal | undefined;
}

/** Assembles a fresh, writable root file system over cached layers, which it never changes. */
export interface SnapshotDriver {
  readonly name: 'overlay' | 'copy';
  prepare(options: PrepareOptions): Promise<Mount>;
}
