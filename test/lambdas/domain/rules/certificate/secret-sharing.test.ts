import { expect, test } from 'vitest';
import {
  accessChanging,
  accessHash,
  isSharingOutdated,
  readersOf,
  readersPolicy,
} from '../../../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { factsWith } from '../../../../fakes/specs.ts';

const one = 'arn:aws:iam::444455556666:role/web';
const other = 'arn:aws:iam::444455556666:role/mail';
const account = 'arn:aws:iam::777788889999:root';
const current = (suffix = 'AbCdEf') => ({
  ...factsWith(),
  secretArn: `arn:aws:secretsmanager:eu-west-1:1:secret:www-${suffix}`,
});
const replica = (region: string, encryptionKey: string | null = null) => ({ region, encryptionKey });

test('sharing is up to date without readers and replicas, with or without a recorded hash', () => {
  expect(isSharingOutdated({}, { current: null })).toBe(false);
  expect(isSharingOutdated({}, { current: current() })).toBe(false);
  expect(isSharingOutdated({ readers: [], replicas: [] }, { access: '', current: current() })).toBe(false);
});

test('sharing is up to date for any order of readers and replicas', () => {
  const spec = { readers: [one, other], replicas: [replica('eu-west-1'), replica('eu-west-2')] };
  const reordered = { readers: [other, one], replicas: [replica('eu-west-2'), replica('eu-west-1')] };
  const access = accessHash(spec, current());
  expect(access).toMatch(/^[0-9a-f]{64}$/);
  expect(isSharingOutdated(reordered, { access, current: current() })).toBe(false);
});

test.each([
  ['one more reader', { readers: [one, other], replicas: [replica('eu-west-1')] }],
  ['one more replica', { readers: [one], replicas: [replica('eu-west-1'), replica('eu-west-2')] }],
  ['another KMS key', { readers: [one], replicas: [replica('eu-west-1', 'arn:aws:kms:eu-west-1:1:key/a')] }],
  ['no replica', { readers: [one] }],
  ['neither', {}],
])('sharing is outdated for a configuration with %s', (_, spec) => {
  const access = accessHash({ readers: [one], replicas: [replica('eu-west-1')] }, current());
  expect(isSharingOutdated(spec, { access, current: current() })).toBe(true);
  expect(isSharingOutdated(spec, { access: accessChanging, current: current() })).toBe(true);
});

test.each([{ readers: [one] }, { replicas: [replica('eu-west-1')] }])(
  'sharing is outdated for a secret that was deleted and created again, with %j',
  (spec) => {
    const access = accessHash(spec, current());
    expect(isSharingOutdated(spec, { access, current: current() })).toBe(false);
    expect(isSharingOutdated(spec, { access, current: current('GhIjKl') })).toBe(true);
  },
);

test('the policy has accounts as principals and roles as a condition, so that a role created again keeps access', () => {
  const { Statement: statements } = readersPolicy([one, account, other]);
  expect(statements.map(({ Principal }) => Principal.AWS)).toEqual([['arn:aws:iam::444455556666:root'], [account]]);
  expect(statements[0]?.Condition).toMatchObject({ StringEquals: { 'aws:PrincipalArn': [other, one] } });
  expect(statements[1]?.Condition).not.toHaveProperty('StringEquals');
});

test('the policy has at most 20,480 characters for 190 roles in 190 accounts', () => {
  const readers = Array.from({ length: 190 }, (_, n) => `arn:aws:iam::${111122223333 + n}:role/${'r'.repeat(30)}`);
  expect(JSON.stringify(readersPolicy(readers)).length).toBeLessThanOrEqual(20_480);
});

test('readersOf returns the readers of a policy of this stack, and null for any other policy', () => {
  expect(readersOf(JSON.stringify(readersPolicy([one, account, other])))).toEqual([other, one, account]);
  expect(readersOf(JSON.stringify(readersPolicy([one])).replace(`["${one}"]`, `"${one}"`))).toEqual([one]);
  const more = { ...readersPolicy([one]), Statement: [...readersPolicy([one]).Statement, { Effect: 'Deny' }] };
  for (const policy of [
    more,
    { Statement: [{ Effect: 'Deny' }] },
    { Statement: { Effect: 'Deny' } },
    { Statement: [] },
    {},
  ])
    expect(readersOf(JSON.stringify(policy)), JSON.stringify(policy)).toBeNull();
});
