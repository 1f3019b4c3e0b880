declare module 'vitest' {
  interface TaskMeta {
    /** Why the test does not run here: a clause that follows "because". */
    skipReason?: string;
  }
}

export {};
