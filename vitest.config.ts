import { defineConfig } from 'vitest/config';

/** `unit` needs no network and no emulator; `e2e` runs against the local environment, one file after the other. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/infra/**', 'test/**/*.e2e.test.ts'],
        },
      },
      // Importing aws-cdk-lib takes longer than the tests: these files share their modules.
      { test: { name: 'infra', include: ['test/infra/**/*.test.ts'], isolate: false, testTimeout: 30_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
