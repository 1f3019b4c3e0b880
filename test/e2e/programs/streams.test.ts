import { createHash } from 'node:crypto';
import { chownSync, createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

const MB = 2 ** 20;

describe.each(CALLERS)(
  'what goes through a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it('is 100 MiB of output, to the byte', async () => {
      const piped = { prefix: ['bash', '-o', 'pipefail', '-c', '"$@" | wc -c', 'bash'] };
      const counted = await home.run([], ['head', '-c', String(100 * MB), '/dev/zero'], piped);
      expect(counted).toEqual({ code: 0, stdout: `${100 * MB}\n`, stderr: '' });
    });

    it('is 50 MiB of input of all bytes, unchanged', async () => {
      const file = join(home.folder, 'input');
      const block = Buffer.from(Array.from({ length: MB + 1 }, (_, at) => (at * 7 + (at >> 8)) & 255)); // not a multiple of a page
      writeFileSync(file, Buffer.concat(Array.from({ length: 50 }, () => block)));
      chownSync(file, home.uid, home.gid);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      const piped = { prefix: ['bash', '-o', 'pipefail', '-c', 'cat input | "$@" | sha256sum', 'bash'] };
      const hashed = await home.run(['-i'], ['cat'], piped);
      expect(hashed).toEqual({ code: 0, stdout: `${hash.digest('hex')}  -\n`, stderr: '' });
    });

    it('ends where its reader goes away', async () => {
      const piped = { prefix: ['bash', '-c', '"$@" | head -n 2', 'bash'] };
      expect(await home.run([], ['yes'], piped)).toMatchObject({ code: 0, stdout: 'y\ny\n' });
    });

    it('is every kind of exit code', async () => {
      const codes = [0, 1, 2, 63, 64, 100, 124, 125, 126, 127, 128, 130, 137, 143, 254, 255];
      const ended = await Promise.all(codes.map(async (code) => home.shell(`exit ${code}`)));
      expect(ended).toEqual(codes.map((code) => ({ code, stdout: '', stderr: '' })));
    });

    it.each(['SIGUSR1', 'SIGUSR2'] as const)('is %s, as servers take it for a command', async (signal) => {
      const name = signal.slice('SIG'.length);
      const script = `trap 'echo got ${name}' ${name}; trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
      const running = home.start(['run', '--rm', home.image, 'sh', '-c', script]);
      await running.says('ready');
      running.child.kill(signal);
      await running.says('got');
      running.child.kill('SIGTERM');
      expect(await running.ended).toEqual({ code: 3, stdout: `ready\ngot ${name}\n`, stderr: '' });
    });
  },
);
