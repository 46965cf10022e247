import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { checkConfig } from '../../infra/config/check-config.ts';
import * as perennial from '../../infra/index.ts';

const root = join(import.meta.dirname, '..', '..');
const texts = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
const blocks = texts.flatMap((text) =>
  [...readFileSync(join(root, text), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => ({ text, code })),
);

/** What a text leaves to the reader to fill in. */
const filledIn = (code: string): string =>
  code
    .replaceAll("'...'", "'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme/google-AbCdEf'")
    .replaceAll(':role/...', ':role/Filled-In');

/** Runs the body of a function of these names. */
async function run(body: string, names: Readonly<Record<string, unknown>>): Promise<unknown> {
  const code = `export default ({ ${Object.keys(names).join(', ')} }) => {\n${body}\n};`;
  const { default: made } = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as {
    readonly default: (given: typeof names) => unknown;
  };
  return made(names);
}

const whole = {
  issuer: perennial.letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
};

const parts = blocks.filter(({ code }) => /^\w+:/.test(code));
test('the docs show parts of a configuration', () => {
  expect(parts.length).toBeGreaterThanOrEqual(4);
});

test.each(parts)('$text shows a part of a configuration that is taken: $code', async ({ code }) => {
  const part = (await run(`return {${filledIn(code)}};`, perennial)) as Partial<perennial.PerennialConfig>;
  const [zone] = part.hostedZones ?? whole.hostedZones;
  const certificates = [{ name: 'www', identifiers: [String(zone?.name)] }];
  expect(checkConfig({ ...whole, certificates, ...part }).deployed.certificates).toHaveLength(1);
});

test('the configuration that README shows first is taken', async () => {
  const [shown] = blocks.filter(({ code }) => code.includes('export default defineConfig('));
  const body = shown?.code.replace(/^import .*$/m, '').replace('export default', 'return') ?? '';
  expect(checkConfig(await run(body, perennial)).deployed.certificates.map(({ name }) => name)).toEqual([
    'site',
    'mail',
    'edge',
  ]);
});

test('the role for challenges that the docs show is made', async () => {
  const [shown] = blocks.filter(({ code }) => code.includes('new ChallengeRole('));
  const stack = new Stack(new App(), 'Challenges');
  await run(filledIn(shown?.code ?? '').replace(/^import .*$/m, ''), { ...perennial, stack });
  expect(stack.node.tryFindChild('Challenges')).toBeInstanceOf(perennial.ChallengeRole);
});
