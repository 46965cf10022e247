import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { userAgent } from '../../../../lambdas/adapters/acme/user-agent.ts';
import { version } from '../../../../lambdas/domain/contract/version.ts';

test('the User-Agent names the package with its version, and the ACME library with its version', () => {
  const { name, dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const library = { ...dependencies, ...devDependencies }['acme-client'];
  expect(userAgent).toBe(`${name}/${version} acme-client/${library}`);
});
