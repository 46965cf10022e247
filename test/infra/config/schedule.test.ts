import { Duration, Lazy } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { ConfigError, checkConfig } from '../../../infra/config/check-config.ts';
import { acmeDirectory, letsEncrypt, letsEncryptStaging } from '../../../infra/config/issuers.ts';

const issuer = letsEncrypt({ termsOfServiceAgreed: true });
const anyCa = acmeDirectory({ directoryUrl: 'https://ca.example.com/directory' });
const hostedZones = [{ id: 'Z0000000001', name: 'example.com' }];

/** A config whose certificates differ by their profiles, at Let's Encrypt where nothing else is given. */
const config = (schedule: unknown, profiles: readonly (string | undefined)[], from = issuer) => ({
  issuer: from,
  hostedZones,
  certificates: profiles.map((profile, index) => ({
    name: `c${index}`,
    identifiers: [`c${index}.example.com`],
    ...(profile && { profile }),
  })),
  ...(schedule !== undefined && { schedule }),
});

function mistakesOf(checked: unknown): readonly string[] {
  try {
    checkConfig(checked);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

const rate = 'a rate such as "rate(6 hours)", "rate(1 day)" or "rate(90 minutes)"';
const duration = 'a Duration of whole minutes that is known at synth, at least one minute';

describe('a schedule', () => {
  test.each([
    [undefined, 21_600],
    ['rate(1 minute)', 60],
    ['rate(90 minutes)', 5_400],
    ['rate(1 hour)', 3_600],
    ['rate(6 hours)', 21_600],
    ['rate(1 day)', 86_400],
    ['rate(45 hours)', 162_000],
    [Duration.minutes(1), 60],
    [Duration.minutes(1.5).plus(Duration.seconds(30)), 120],
    [Duration.days(0.5), 43_200],
    [Duration.parse('PT1H30M'), 5_400],
  ])('of %s runs the fleet every %i seconds', (schedule, seconds) => {
    expect(checkConfig(config(schedule, [undefined])).deployed.checkInterval).toBe(seconds);
  });

  test.each([
    'daily',
    'cron(0 3 * * ? *)',
    'at(2027-01-01T00:00:00)',
    'rate(0 minutes)',
    'rate(06 hours)',
    'rate(1 hours)',
    'rate(2 hour)',
    'rate(1.5 hours)',
    'rate(-1 hours)',
    'rate(30 seconds)',
    'rate(6)',
    'rate(1 week)',
    ' rate(6 hours)',
    'rate(6 hours) ',
    '',
  ])('is no text such as %j', (schedule) => {
    expect(mistakesOf(config(schedule, [undefined]))).toEqual([
      `schedule: found ${JSON.stringify(schedule)}, allowed: ${rate}`,
    ]);
  });

  test.each([
    [Duration.seconds(90), 'Duration.seconds(90)'],
    [Duration.minutes(1.5), 'Duration.minutes(1.5)'],
    [Duration.millis(60_001), 'Duration.millis(60001)'],
    [Duration.minutes(0), 'Duration.minutes(0)'],
    [Duration.minutes(Lazy.number({ produce: () => 60 })), 'a Duration with a CDK token'],
  ])('is no duration such as %s', (schedule, found) => {
    expect(mistakesOf(config(schedule, [undefined]))).toEqual([`schedule: found ${found}, allowed: ${duration}`]);
  });

  test.each([
    [6, '6'],
    [null, 'null'],
    [{ rate: 6 }, 'an object'],
    [['rate(6 hours)'], 'a list'],
  ])('is neither of them when it is %j', (schedule, found) => {
    expect(mistakesOf(config(schedule, [undefined]))).toEqual([
      `schedule: found ${found}, allowed: ${rate}, or ${duration}`,
    ]);
  });

  test('known only at deployment is rejected', () => {
    expect(mistakesOf(config(Lazy.string({ produce: () => 'rate(6 hours)' }), [undefined]))).toEqual([
      'schedule: found a CDK token, allowed: a value known at synth (only ids of hosted zones and ARNs may be tokens)',
    ]);
  });
});

describe('the longest interval', () => {
  const tooLong = (found: string, longest: number, why: string) =>
    `schedule: found a run every ${found}, allowed: at least every ${longest} h, because ${why}`;
  const eightRuns = '8 runs have to fit between its renewal time and its expiry';

  test.each([
    ["Let's Encrypt's default", undefined, issuer, 45 * 60],
    ["Let's Encrypt's default for staging", undefined, letsEncryptStaging({ termsOfServiceAgreed: true }), 45 * 60],
    ['tlsserver', 'tlsserver', issuer, 45 * 60],
    ['shortlived', 'shortlived', issuer, 10 * 60],
    ['a CA whose lifetime is not known', undefined, anyCa, 72 * 60],
    ['a profile whose lifetime is not known', 'long', issuer, 72 * 60],
  ])('for %s fits, and a minute more does not', (_, profile, from, minutes) => {
    expect(mistakesOf(config(`rate(${minutes} minutes)`, [profile], from))).toEqual([]);
    expect(mistakesOf(config(Duration.minutes(minutes), [profile], from))).toEqual([]);
    const [mistake, ...others] = mistakesOf(config(`rate(${minutes + 1} minutes)`, [profile], from));
    expect(mistake).toContain(`found a run every ${minutes + 1} minutes, allowed: at least every ${minutes / 60} h`);
    expect(others).toEqual([]);
  });

  test('is said once for each profile, at the first certificate that has it', () => {
    const profiles = [undefined, 'shortlived', 'shortlived', 'long', 'long', undefined];
    expect(mistakesOf(config('rate(4 days)', profiles))).toEqual([
      tooLong('96 h', 45, `certificates[0] has the profile classic (1080 h) and ${eightRuns}`),
      tooLong('96 h', 10, `certificates[1] has the profile shortlived (160 h) and ${eightRuns}`),
      tooLong('96 h', 72, 'the lifetime of certificates[3] is not known at synth'),
    ]);
  });
});
