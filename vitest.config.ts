import './build/check-node.mjs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Resolves the name of this package to its sources, as `node --conditions=perennial-source` does. The other conditions are Vite's defaults. */
const conditions = ['perennial-source', 'node', 'development|production'];

// Workers, and the programs that tests start, reuse the compiled code of the CDK.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled');

/** The files that take longest start first, so that the workers end together. Vitest itself starts with the largest files. */
const LONGEST = [
  ...['types', 'cdk-init', 'package', 'model', 'two-faults', 'revocations', 'one-fault', 'changed-world'],
  ...[
    'certificate-requests',
    'findings',
    'interruption-at-any-call',
    'renewal.e2e',
    'destroy.e2e',
    'unavailable-ca.e2e',
  ],
  ...['demo.e2e', 'cloudfront.e2e', 'resume.e2e', 'delivery.e2e', 'environment.e2e', 'route-53-faults.e2e'],
  ...['misbehaving-orders.e2e', 'command-line.e2e', 'zones.e2e', 'reading.e2e', 'tags.e2e', 'served.e2e'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** A test that reaches no assertion fails. `expect.poll` has a minute, because a busy machine needs more than its default of 1 s. */
const expect = { requireAssertions: true, poll: { timeout: 60_000 } };

/**
 * Variables without which a synthesis takes longer. The validation rules of the CDK take seconds to load, and findings.test.ts evaluates them itself.
 * Stack traces of constructs are metadata that no test reads.
 */
const quickSynthesis = {
  CDK_VALIDATION: 'false',
  CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:disable-creation-stack-traces': true }),
};

/**
 * Six projects. `unit` and `infra` need no network and no emulator. `model` simulates large fleets on AWS. `page` opens the page of `status --html` in
 * a browser. `package` installs packages from the npm registry or its cache. `e2e` runs after the others against the local environment.
 *
 * `--mode all` runs all histories of renewals. Without it a part of them runs, as in `npm run check`.
 */
export default defineConfig(({ mode }) => ({
  ssr: { resolve: { conditions } },
  test: {
    // One more worker than Vitest's default, because some tests wait for servers and child processes while others compute.
    maxWorkers: availableParallelism() + 1,
    // The limit ends tests that hang. A test that takes 2 s alone may take half a minute on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          expect,
          include: ['test/**/*.test.ts'],
          exclude: ['test/cli/page/**', 'test/infra/**', 'test/model/**', 'test/package/**', 'test/**/*.e2e.test.ts'],
          // Test files share their modules, because importing takes longer than the tests. They also share mocks of modules and SDK clients.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'infra',
          expect,
          include: ['test/infra/**/*.test.ts'],
          isolate: false,
          setupFiles: 'test/infra/temporary-folder.ts',
          env: { ...quickSynthesis, ...(mode === 'all' && { HISTORIES: 'all' }) },
        },
      },
      {
        extends: true,
        test: {
          name: 'model',
          expect,
          include: ['test/model/*.test.ts'],
          env: quickSynthesis,
        },
      },
      { extends: true, test: { name: 'page', expect, include: ['test/cli/page/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: 'test/package/packed.ts',
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          isolate: false,
          sequence: { groupOrder: 1 },
          // These files spend half of their time waiting.
          maxWorkers: availableParallelism() + 2,
          env: { CDK_VALIDATION: 'false' },
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
}));
