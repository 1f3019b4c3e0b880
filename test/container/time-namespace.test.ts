import { existsSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBox } from './support/box.ts';
import type { Box } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const HOSTS = '/proc/self/ns/time';

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() time namespace as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      box = createBox(caller);
    });
    afterAll(() => box.remove());

    it.runIf(existsSync(HOSTS))('X01 gives one of its own, whose clocks show what the host’s do', async () => {
      const script = 'readlink /proc/self/ns/time; cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime';
      const before = Math.floor(process.hrtime()[0]);
      const { stdout } = await box.run(['sh', '-c', script]);
      const [namespace, monotonic = '', boottime = '', uptime = ''] = stdout.split('\n');
      expect(namespace).toMatch(/^time:\[\d+\]$/);
      expect(namespace).not.toBe(readlinkSync(HOSTS));
      expect([monotonic, boottime].map((line) => line.replace(/\s+/g, ' '))).toEqual(['monotonic 0 0', 'boottime 0 0']);
      expect(Number(uptime)).toBeGreaterThanOrEqual(before);
    });
  });
}
