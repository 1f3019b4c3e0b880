import { statSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

// Threats that no probe is needed for. The others carry their ID in probes/, limits.test.ts and signals.test.ts.
for (const { caller, needs } of CALLERS) {
  describe(`a hostile process in a container of ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it('threat C9 changes neither mode nor owner of a device of the host, by its path or by a descriptor', async () => {
      const before = statSync('/dev/null');
      const script =
        'for path in /dev/null /dev/zero /dev/tty /proc/self/fd/0; do chmod 600 $path || chown 1 $path; done; echo x >/dev/null';
      const { stderr, exitCode } = await box.run(['sh', '-c', script]);
      expect(exitCode).toBe(0);
      expect(stderr.trim().split('\n')).toHaveLength(8);
      expect(stderr).not.toMatch(/^(?!.*(Read-only file system|Operation not permitted)).+$/m);
      expect(statSync('/dev/null')).toMatchObject({ mode: before.mode, uid: before.uid, ctimeMs: before.ctimeMs });
    });

    it('threat C15 is not listened to: what it prints passes on byte for byte', async () => {
      const { stdout } = await box.run(['printf', '\\033]0;title\\007\\033[2J\\r\\n\\000\\001end']);
      expect(stdout).toBe('\u001b]0;title\u0007\u001b[2J\r\n\0\u0001end');
    });
  });
}
