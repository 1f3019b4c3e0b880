import type { NetworkMode } from './steps/namespaces.ts';
import type { UserMount } from './steps/volumes.ts';
import type { SecurityOptions } from './parse-security.ts';
import type { VolumeRequest } from './parse-volume.ts';

/** What a user may say about a container, flags already read. All but `args` may be left out. */
export interface ContainerOptions {
  /** What stood after the image's name. */
  args: readonly string[];
  entrypoint?: string | undefined;
  /** Entries for `containerEnvironment`: `KEY=value`, or `KEY` to remove one of the image's. */
  environment?: readonly string[] | undefined;
  workingFolder?: string | undefined;
  user?: string | undefined;
  /** Checked with `checkName`. */
  name?: string | undefined;
  hostname?: string | undefined;
  domainname?: string | undefined;
  network?: NetworkMode | undefined;
  volumes?: readonly VolumeRequest[] | undefined;
  tmpfs?: readonly (UserMount & { kind: 'tmpfs' })[] | undefined;
  readOnlyRoot?: boolean | undefined;
  /** Delete it when it ends. */
  autoRemove?: boolean | undefined;
  /** The command's descriptors are a terminal: sets TERM, and signals go to the whole process group. */
  terminal?: boolean | undefined;
  /** Docker's defaults unless given. */
  security?: SecurityOptions | undefined;
}
