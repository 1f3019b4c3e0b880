import { inject } from 'vitest';

import type { Requirement } from '../../support/requirements.ts';

/** What the end-to-end tests share; made once for all of them by the global setup. */
export interface TestBed {
  /** Path of the installed CLI. */
  cli: string;
  /** host:port of a Distribution with the images of build-images.ts. */
  registry: string;
  /** Its storage folder, for another Distribution on the same images. */
  storage: string;
  /** The same images as an OCI layout, for umoci. */
  layout: string;
  /** A part of the Debian archive with packages for `library/debian`, as a mirror has it. */
  archive: string;
}

export const TEST_BED_NEEDS = [
  'root',
  'docker-registry',
  'mmdebstrap',
  'setcap',
  'setfattr',
  'skopeo',
  'static-busybox',
  'umoci',
] satisfies Requirement[];

/** For tests behind `requires(...TEST_BED_NEEDS)`. */
export function testBed(): TestBed {
  const bed = inject('testBed');
  if (bed === undefined) throw new Error(`the test bed needs ${TEST_BED_NEEDS.join(', ')}`);
  return bed;
}

declare module 'vitest' {
  interface ProvidedContext {
    testBed: TestBed | undefined;
  }
}
