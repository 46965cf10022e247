import { describe, expect, test } from 'vitest';
import { checkFleetSize } from '../../../infra/config/fleet-size.ts';
import type { DeployedConfig } from '../../../lambdas/domain/contract/config.ts';
import { configOf, issuer, specWith } from '../../fakes/specs.ts';

const letsEncrypt = { ...issuer, directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory' };

/** Returns the mistakes of a fleet of equal certificates. */
function mistakes(
  count: number,
  { profile = null as string | null, pace = 0.7, megabytes = 1 } = {},
): readonly string[] {
  const one = configOf(specWith({ profile, issuer: letsEncrypt }));
  const [certificate] = one.certificates as [DeployedConfig['certificates'][number]];
  const config = { ...one, certificates: Array<typeof certificate>(count).fill(certificate) };
  const found: string[] = [];
  checkFleetSize(config, { json: ' '.repeat(megabytes * 1e6), pace }, (...parts) => found.push(parts.join(': ')));
  return found;
}

describe('a fleet', () => {
  test('of 100,000 certificates is accepted', () => {
    expect(mistakes(100_000, { megabytes: 60 })).toEqual([]);
  });

  test('with more certificates is rejected with their number', () => {
    expect(mistakes(100_001)).toEqual([
      'certificates: found 100,001: expected at most 100,000 in a deployment, divide the certificates among stacks',
    ]);
  });

  test('with a configuration that a function cannot hold is rejected with its size', () => {
    expect(mistakes(50_000, { megabytes: 61 })).toEqual([
      expect.stringMatching(/^certificates: found 50,000 with 61 MB of configuration: expected at most 60 MB/),
    ]);
  });

  test('that needs more renewals a day than the pace allows is rejected with both numbers', () => {
    // A certificate of 160 hours is renewed after 80 hours, so 24 / 80 times a day. The pace allows 0.05 × 86,400 renewals.
    expect(mistakes(14_390, { profile: 'shortlived', pace: 0.05 })).toEqual([]);
    expect(mistakes(14_410, { profile: 'shortlived', pace: 0.05 })).toEqual([
      'pace: found 0.05 renewals a second, which are 4,320 a day: expected at least 4,323 a day, which these certificates need, or divide the certificates among stacks',
    ]);
  });
});
