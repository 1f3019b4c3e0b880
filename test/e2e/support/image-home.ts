import { afterAll, beforeAll, expect } from 'vitest';

import { openCliHome, type CallOptions, type CliHome, type Ended } from './cli-home.ts';
import { testBed } from './test-bed.ts';

/** A home that has pulled an image, and containers of it that are gone when they have ended. */
export interface ImageHome extends CliHome {
  /** Its name for the CLI. */
  image: string;
  run(flags: string[], command: string[], options?: CallOptions): Promise<Ended>;
  /** Runs `script` in the image's /bin/sh. */
  shell(script: string, ...flags: string[]): Promise<Ended>;
}

/** `user` is root where it is not given; `name` is one of the test bed's images. */
export async function openImageHome(user?: string, name: string = 'library/busybox'): Promise<ImageHome> {
  const home = openCliHome(user);
  const image = `${testBed().registry}/${name}`;
  expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  const run: ImageHome['run'] = async (flags, command, options) =>
    home.mydocker(['run', '--rm', ...flags, image, ...command], options);
  return { ...home, image, run, shell: async (script, ...flags) => run(flags, ['/bin/sh', '-c', script]) };
}

/** As openImageHome, for all tests of the `describe` that this is called in: the answer is filled before the first of them. */
export function useImageHome(user?: string, name?: string): ImageHome {
  const home = {} as ImageHome;
  beforeAll(async () => {
    Object.assign(home, await openImageHome(user, name));
  });
  afterAll(() => home.remove());
  return home;
}
