import { expect, test } from 'vitest';
import { accessChanging, accessHash, isAccessBehind, readersOf, readersPolicy } from '../../../lambdas/rules/access.ts';

const one = 'arn:aws:iam::444455556666:role/web';
const other = 'arn:aws:iam::444455556666:role/mail';
const replica = (region: string, encryptionKey: string | null = null) => ({ region, encryptionKey });

test('a secret that is nobody else’s and is replicated nowhere is not behind, with or without a record of it', () => {
  expect(isAccessBehind({}, {})).toBe(false);
  expect(isAccessBehind({ readers: [], replicas: [] }, { access: '' })).toBe(false);
});

test('the order of readers and replicas means nothing', () => {
  const spec = { readers: [one, other], replicas: [replica('eu-west-1'), replica('eu-west-2')] };
  const turned = { readers: [other, one], replicas: [replica('eu-west-2'), replica('eu-west-1')] };
  expect(accessHash(spec)).toMatch(/^[0-9a-f]{64}$/);
  expect(isAccessBehind(turned, { access: accessHash(spec) })).toBe(false);
});

test.each([
  ['a reader more', { readers: [one, other], replicas: [replica('eu-west-1')] }],
  ['a replica more', { readers: [one], replicas: [replica('eu-west-1'), replica('eu-west-2')] }],
  ['another key', { readers: [one], replicas: [replica('eu-west-1', 'arn:aws:kms:eu-west-1:1:key/a')] }],
  ['no replica', { readers: [one] }],
  ['neither', {}],
])('a secret is behind a configuration with %s', (_, spec) => {
  const access = accessHash({ readers: [one], replicas: [replica('eu-west-1')] });
  expect(isAccessBehind(spec, { access })).toBe(true);
  expect(isAccessBehind(spec, { access: accessChanging })).toBe(true);
});

test('a resource policy of ours tells its readers, also as AWS writes one of them, and no other is taken for one', () => {
  expect(readersOf(JSON.stringify(readersPolicy([one, other])))).toEqual([other, one]);
  expect(readersOf(JSON.stringify(readersPolicy([one])).replace(`["${one}"]`, `"${one}"`))).toEqual([one]);
  const more = { ...readersPolicy([one]), Statement: [...readersPolicy([one]).Statement, { Effect: 'Deny' }] };
  for (const policy of [more, { Statement: [{ Effect: 'Deny' }] }, { Statement: { Effect: 'Deny' } }, {}])
    expect(readersOf(JSON.stringify(policy)), JSON.stringify(policy)).toBeNull();
});
