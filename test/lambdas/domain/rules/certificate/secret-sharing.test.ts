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

test('a secret that is nobody else’s and is replicated nowhere is not behind, with or without a record of it', () => {
  expect(isSharingOutdated({}, { current: null })).toBe(false);
  expect(isSharingOutdated({}, { current: current() })).toBe(false);
  expect(isSharingOutdated({ readers: [], replicas: [] }, { access: '', current: current() })).toBe(false);
});

test('the order of readers and replicas means nothing', () => {
  const spec = { readers: [one, other], replicas: [replica('eu-west-1'), replica('eu-west-2')] };
  const turned = { readers: [other, one], replicas: [replica('eu-west-2'), replica('eu-west-1')] };
  const access = accessHash(spec, current());
  expect(access).toMatch(/^[0-9a-f]{64}$/);
  expect(isSharingOutdated(turned, { access, current: current() })).toBe(false);
});

test.each([
  ['a reader more', { readers: [one, other], replicas: [replica('eu-west-1')] }],
  ['a replica more', { readers: [one], replicas: [replica('eu-west-1'), replica('eu-west-2')] }],
  ['another key', { readers: [one], replicas: [replica('eu-west-1', 'arn:aws:kms:eu-west-1:1:key/a')] }],
  ['no replica', { readers: [one] }],
  ['neither', {}],
])('a secret is behind a configuration with %s', (_, spec) => {
  const access = accessHash({ readers: [one], replicas: [replica('eu-west-1')] }, current());
  expect(isSharingOutdated(spec, { access, current: current() })).toBe(true);
  expect(isSharingOutdated(spec, { access: accessChanging, current: current() })).toBe(true);
});

test.each([{ readers: [one] }, { replicas: [replica('eu-west-1')] }])(
  'a secret that was deleted and made anew is behind, whatever its predecessor had: %o',
  (spec) => {
    const access = accessHash(spec, current());
    expect(isSharingOutdated(spec, { access, current: current() })).toBe(false);
    expect(isSharingOutdated(spec, { access, current: current('GhIjKl') })).toBe(true);
  },
);

test('a role made anew under its name reads on: it is no principal, which AWS keeps by its unique id, but a condition', () => {
  const { Statement: statements } = readersPolicy([one, account, other]);
  expect(statements.map(({ Principal }) => Principal.AWS)).toEqual([['arn:aws:iam::444455556666:root'], [account]]);
  expect(statements[0]?.Condition).toMatchObject({ StringEquals: { 'aws:PrincipalArn': [other, one] } });
  expect(statements[1]?.Condition).not.toHaveProperty('StringEquals');
});

test('readers are within what a resource policy may have, also 190 roles of as many accounts', () => {
  const readers = Array.from({ length: 190 }, (_, n) => `arn:aws:iam::${111122223333 + n}:role/${'r'.repeat(30)}`);
  expect(JSON.stringify(readersPolicy(readers)).length).toBeLessThanOrEqual(20_480);
});

test('a resource policy of ours tells its readers, also as AWS writes one of them, and no other is taken for one', () => {
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
