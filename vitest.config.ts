import './build/check-node.mjs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** As `node --conditions=perennial-source`: this package's own name is its sources here; the others are Vite's own. */
const conditions = ['perennial-source', 'node', 'development|production'];

/** The files that take longest start first, so that the workers end together. Vitest itself starts with the largest files. */
const LONGEST = [
  ...['unavailable-ca', 'renewal', 'route-53-faults', 'resume', 'zones', 'misbehaving-orders', 'cloudfront', 'served'],
  ...['demo', 'package'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => new RegExp(`/${name}(\\.e2e)?\\.test\\.ts$`).test(moduleId));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * `unit` and `infra` need no network and no emulator. `package` installs from npm's registry or its cache. `e2e` runs against the local
 * environment, after the others, two files at a time: each has an environment of its own and waits half of its time.
 */
export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // One more than Vitest takes by itself: some tests wait for servers and child processes, while others compute.
    maxWorkers: availableParallelism() + 1,
    // A test that takes a tenth of a second alone may take seconds beside others. The limit ends what hangs.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/infra/**', 'test/package/**', 'test/**/*.e2e.test.ts'],
          // To import the modules takes longer than the tests: the files share them, and mocks of modules or SDK clients with them.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          isolate: false,
          // The CDK's own rules take seconds to load: findings.test.ts evaluates them itself.
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
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          env: { CDK_VALIDATION: 'false' },
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
