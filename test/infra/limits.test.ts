import { describe, expect, test } from 'vitest';
import { type PolicyDocument, policiesOf, resolve, smallConfig, synthesize } from './synthesized.ts';

/** Hosted zones with ids of the largest length. */
const hostedZones = Array.from({ length: 385 }, (_, index) => ({
  id: `Z${String(index).padStart(31, '0')}`,
  name: `zone-${index}.example`,
}));
const certificates = Array.from({ length: 2000 }, (_, index) => ({
  name: `certificate-${index}`,
  identifiers: [`${index}.zone-${index % 385}.example`, `*.${index}.zone-${index % 385}.example`],
  acm: ['us-east-1', 'eu-central-1'],
}));
const large = synthesize({ ...smallConfig, hostedZones, certificates });
const { inline, managed } = policiesOf('CertificatesChallengeRole', large);

/** Returns the size of a policy as IAM counts it, without white space, in the partition with the longest name. */
const size = (policy: PolicyDocument) => JSON.stringify(policy).replaceAll('arn:aws:', 'arn:aws-us-gov:').length;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
describe('385 zones stay within IAM’s limits', () => {
  test('of 10,240 characters for the inline policies of a role', () => {
    expect(inline.reduce((sum, policy) => sum + size(policy), 0)).toBeLessThanOrEqual(10_240);
  });

  test('of 6,144 characters for a managed policy', () => {
    expect(Math.max(...managed.map(size))).toBeLessThanOrEqual(6144);
  });

  test('of 10 managed policies for a role', () => {
    expect(managed.length).toBeGreaterThan(0);
    expect(managed.length).toBeLessThanOrEqual(10);
  });

  test('and name every zone in a statement for changes and in one for reading', () => {
    const statements = [...inline, ...managed].flatMap(({ Statement }) => Statement);
    for (const [action, conditioned] of [
      ['route53:ChangeResourceRecordSets', true],
      ['route53:ListResourceRecordSets', false],
    ] as const) {
      const granting = statements.filter(({ Action }) => [Action].flat().includes(action));
      const zones = granting.flatMap(({ Resource }) => [Resource].flat());
      expect(zones.toSorted()).toEqual(hostedZones.map(({ id }) => `arn:aws:route53:::hostedzone/${id}`).toSorted());
      expect(granting.every(({ Condition }) => (Condition !== undefined) === conditioned)).toBe(true);
    }
  });
});

describe('300 zones of a hundred accounts stay within IAM’s limits', () => {
  const several = synthesize({
    ...smallConfig,
    hostedZones: hostedZones.slice(0, 300).map((zone, index) => ({
      ...zone,
      ...(index % 3 === 0 && { roleArn: `arn:aws-us-gov:iam::222222222222:role/${String(index).padStart(64, 'x')}` }),
      ...(index % 3 === 1 && { challengesOnly: true }),
    })),
    certificates,
  });
  const policies = policiesOf('CertificatesChallengeRole', several);

  test('for policies and their number', () => {
    expect(policies.inline.reduce((sum, policy) => sum + size(policy), 0)).toBeLessThanOrEqual(10_240);
    expect(Math.max(...policies.managed.map(size))).toBeLessThanOrEqual(6144);
    expect(policies.managed.length).toBeLessThanOrEqual(10);
  });

  test('and name each role once', () => {
    const roles = [...policies.inline, ...policies.managed]
      .flatMap(({ Statement }) => Statement)
      .filter(({ Action }) => Action === 'sts:AssumeRole')
      .flatMap(({ Resource }) => [Resource].flat());
    expect(new Set(roles).size).toBe(100);
    expect(roles).toHaveLength(100);
  });
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
describe('two thousand certificates stay within CloudFormation’s limits', () => {
  test('of 1 MB for a template', () => {
    expect(large.text.length).toBeLessThan(1024 * 1024);
  });

  test('of 500 resources, and have as many as one certificate except for policies', () => {
    const small = synthesize();
    expect(Object.keys(large.resources).length).toBe(Object.keys(small.resources).length + managed.length);
    expect(Object.keys(large.resources).length).toBeLessThan(100);
  });

  test('of 4 KB for the environment of a function', () => {
    for (const { Properties } of Object.values(large.resources))
      expect(JSON.stringify(resolve(Properties.Environment ?? {}, large.resources)).length).toBeLessThan(4096);
  });
});
