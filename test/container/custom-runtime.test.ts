import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { createBox } from './support/box.ts';
import type { Box, Outcome } from './support/box.ts';

describe('an OCI runtime', requires('root', 'static-busybox'), () => {
  let box: Box;
  beforeAll(() => {
    box = createBox('root');
  });
  afterAll(() => box.remove());

  const runWith = async (script: string, mode = 0o755): Promise<Outcome> => {
    const path = join(box.folder, `runtime-${readdirSync(box.folder).length}`);
    writeFileSync(path, script, { mode });
    return box.run(['true'], { options: { runtime: { name: './mine', path } } });
  };

  it('that fails is quoted without what a terminal would obey', async () => {
    const failing =
      '#!/bin/sh\nwhile [ "$1" != --log ]; do shift; done\n' +
      `echo '{"level":"warning","msg":"no"}' >"$2"; echo '{"level":"error","msg":"it \\u001b[31m broke"}' >>"$2"; echo junk >>"$2"; exit 1\n`;
    expect((await runWith(failing)).failure).toEqual({
      code: 'ERR_CONTAINER',
      message: 'Cannot run the container with ./mine: it \\x1b[31m broke',
    });
  });

  it('that cannot be executed is an error of the machine', async () => {
    const { failure } = await runWith('no program');
    expect(failure).toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(/^Cannot start the runtime ".*": exec format error$/) as string,
    });
  });

  it('gets nothing of the image or the user as an argument, and nothing of our environment', async () => {
    const { stdout } = await runWith('#!/bin/sh\necho "$@"; env\n');
    const [words = '', ...variables] = stdout.trim().split('\n');
    expect(words).toMatch(
      /^--root \S+\/bundle\/state --log \S+\/bundle\/log --log-format json run --bundle \S+\/bundle [0-9a-f]{64}$/,
    );
    expect(variables.filter((variable) => !/^(PATH|PWD|_|SHLVL|OLDPWD)=/.test(variable))).toEqual([]);
  });
});
