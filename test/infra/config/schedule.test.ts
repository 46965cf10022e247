import { Duration, Lazy } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { acmeDirectory, letsEncrypt, letsEncryptStaging } from '../../../infra/config/issuers.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';

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

const mistakes = (schedule: unknown, profiles: readonly (string | undefined)[], ...expected: readonly Expected[]) =>
  expectMistakes(() => checkConfig(config(schedule, profiles)), ...expected);

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
  ])('may not be the text %j', (schedule) => {
    mistakes(schedule, [undefined], ['schedule', JSON.stringify(schedule), 'a rate such as']);
  });

  test.each([
    [Duration.seconds(90), 'Duration.seconds(90)'],
    [Duration.minutes(1.5), 'Duration.minutes(1.5)'],
    [Duration.millis(60_001), 'Duration.millis(60001)'],
    [Duration.minutes(0), 'Duration.minutes(0)'],
    [Duration.minutes(Lazy.number({ produce: () => 60 })), 'a Duration with a CDK token'],
  ])('may not be the duration %s', (schedule, found) => {
    mistakes(schedule, [undefined], ['schedule', found, 'a Duration of whole minutes']);
  });

  test.each([
    [6, '6'],
    [null, 'null'],
    [{ rate: 6 }, 'an object'],
    [['rate(6 hours)'], 'a list'],
  ])('may not be %j', (schedule, found) => {
    mistakes(schedule, [undefined], ['schedule', found, 'a rate such as', 'a Duration of whole minutes']);
  });

  test('may not be a token, which is known only at deployment', () => {
    const schedule = Lazy.string({ produce: () => 'rate(6 hours)' });
    mistakes(schedule, [undefined], ['schedule', 'CDK token', 'known at synth']);
  });
});

describe('the longest interval', () => {
  test.each([
    ["Let's Encrypt's default", undefined, issuer, 45 * 60],
    ["Let's Encrypt's default for staging", undefined, letsEncryptStaging({ termsOfServiceAgreed: true }), 45 * 60],
    ['tlsserver', 'tlsserver', issuer, 45 * 60],
    ['shortlived', 'shortlived', issuer, 10 * 60],
    ['a CA whose lifetime is not known', undefined, anyCa, 72 * 60],
    ['a profile whose lifetime is not known', 'long', issuer, 72 * 60],
  ])('for %s is accepted, and one minute more is rejected', (_, profile, from, minutes) => {
    const checked = (schedule: unknown) => () => checkConfig(config(schedule, [profile], from));
    expectMistakes(checked(`rate(${minutes} minutes)`));
    expectMistakes(checked(Duration.minutes(minutes)));
    const tooLong = ['schedule', `every ${minutes + 1} minutes`, `at least every ${minutes / 60} h`] as const;
    expectMistakes(checked(`rate(${minutes + 1} minutes)`), tooLong);
  });

  test('is reported once for each profile, at the first certificate that has it', () => {
    mistakes(
      'rate(4 days)',
      [undefined, 'shortlived', 'shortlived', 'long', 'long', undefined],
      ['schedule', 'every 96 h', 'at least every 45 h', 'certificates[0]', 'profile classic (1080 h)', '8 runs'],
      ['schedule', 'every 96 h', 'at least every 10 h', 'certificates[1]', 'profile shortlived (160 h)', '8 runs'],
      ['schedule', 'every 96 h', 'at least every 72 h', 'certificates[3]', 'not known'],
    );
  });
});
