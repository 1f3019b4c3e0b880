/** The parts of the store's layout that containers use, absolute. */
export interface ContainerPaths {
  /** One folder per container. */
  containers: string;
  /** What is deleted is moved here first; on the same file system. */
  trash: string;
  /** Where the runner's executable file lives. */
  runner: string;
  /** The lock that a garbage collection holds exclusively. */
  gcLock: string;
}
