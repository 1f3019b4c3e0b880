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

    it('threat C15 is not listened to: what it prints passes on byte for byte', async () => {
      const { stdout } = await box.run(['printf', '\\033]0;title\\007\\033[2J\\r\\n\\000\\001end']);
      expect(stdout).toBe('\u001b]0;title\u0007\u001b[2J\r\n\0\u0001end');
    });
  });
}
