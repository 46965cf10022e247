import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stepFormat } from '../../../../lambdas/domain/contract/steps.ts';

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'lambdas', 'domain', 'contract');

/** Returns a hash of the types of all inputs and outputs of steps, without comments. */
function typesHash(): string {
  const steps = readdirSync(join(folder, 'steps')).sort();
  const files = [
    ...steps.map((file) => join('steps', file)),
    'account-request.ts',
    'certificate-facts.ts',
    'config.ts',
  ];
  const types = files
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll(/\/\*\*.*?\*\//gs, ''))
    .flatMap((source) => source.match(/^export (?:interface .*?^\}|type .*?;$)/gms) ?? [])
    .map((type) => type.replaceAll(/\s+/g, ' '));
  return createHash('sha256').update(types.join()).digest('hex').slice(0, 12);
}

test('inputs and outputs of steps change only with a decision about their format', () => {
  const decision = `The types of inputs and outputs of steps have changed. An execution that waits may meet the functions of another version.
If a version was published since the last change of stepFormat in lambdas/domain/contract/steps/step-event.ts, and either of the two cannot use the other, change
stepFormat. In every case, write the new values here.`;
  expect([stepFormat, typesHash()], decision).toEqual(['steps-1', '62c109904e0e']);
});
