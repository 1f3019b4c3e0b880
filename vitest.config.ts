import { defineConfig } from 'vitest/config';

// Read by the workers, and by the reporter in this process: one seed for the whole run. A normal run draws the same each time, so that a
// commit passes or fails whoever runs it; `npm run soak` draws anew.
const seed = (process.env['MYDOCKER_SEED'] ??= '1511214820');

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    env: { MYDOCKER_SEED: seed },
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 20_000, // milliseconds, as below
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
