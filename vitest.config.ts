import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** As `node --conditions=perennial-source`: this package's own name is its sources here; the others are Vite's own. */
const conditions = ['perennial-source', 'node', 'development|production'];

/**
 * `unit` needs no network and no emulator; `package` installs from npm's registry or its cache; `e2e` runs against the local
 * environment, one file after the other.
 */
export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // Two more than it takes by itself: tests of dns/ wait for servers that are silent, while others compute.
    maxWorkers: availableParallelism() + 1,
    // A test that takes a tenth of a second alone may take seconds beside others. The limit ends what hangs.
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/infra/**', 'test/package/**', 'test/**/*.e2e.test.ts'],
        },
      },
      // Importing aws-cdk-lib takes longer than the tests: these files share their modules.
      {
        extends: true,
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          isolate: false,
          // The CDK's own rules take seconds to load: the tests that ask for findings do it by themselves.
          env: { CDK_VALIDATION: 'false' },
        },
      },
      {
        extends: true,
        test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 240_000 },
      },
      {
        extends: true,
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
