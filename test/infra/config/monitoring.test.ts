import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { acmeDirectory } from '../../../infra/config/issuers.ts';
import { alarmTexts } from '../../../infra/monitoring/alarm-list.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';

const config = (monitoring: unknown) => ({
  issuer: acmeDirectory({ directoryUrl: 'https://ca.example.com/directory' }),
  hostedZones: [{ id: 'Z0000000001', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
  ...(monitoring !== undefined && { monitoring }),
});
const checked = (monitoring: unknown) => checkConfig(config(monitoring)).monitoring;
const mistakes = (monitoring: unknown, ...expected: readonly Expected[]) =>
  expectMistakes(() => checkConfig(config(monitoring)), ...expected);

describe('monitoring', () => {
  test('is on with the default thresholds unless it is false', () => {
    for (const given of [undefined, {}, { alarms: {} }]) expect(checked(given)).toMatchObject({ alarms: {} });
    expect(checked(false)).toBe(false);
  });

  test('takes a threshold or false for each alarm', () => {
    const alarms = Object.fromEntries(
      Object.keys(alarmTexts).map((key) => [key, key === 'needsAttention' ? false : 5]),
    );
    expect(checked({ alarms })).toEqual({ alarms });
    const off = Object.fromEntries(Object.keys(alarmTexts).map((key) => [key, false]));
    expect(checked({ alarms: off })).toEqual({ alarms: off });
  });

  test('reports every wrong threshold at once, with its unit and range', () => {
    mistakes(
      {
        alarms: {
          needsAttention: 1,
          fleetDoesNotRun: 169,
          lifetimeRunsOut: 100,
          leaseTooOld: 0,
          notServed: true,
          functionMemory: '80',
          functionErrors: 1.5,
        },
      },
      ['monitoring.alarms.needsAttention', 'found 1', 'expected false'],
      ['monitoring.alarms.fleetDoesNotRun', 'found 169', 'hours from 1 to 168'],
      ['monitoring.alarms.lifetimeRunsOut', 'found 100', 'percent from 1 to 99'],
      ['monitoring.alarms.leaseTooOld', 'found 0', 'hours'],
      ['monitoring.alarms.notServed', 'found true', 'false, or a whole number of certificates'],
      ['monitoring.alarms.functionErrors', 'found 1.5', 'errors'],
      ['monitoring.alarms.functionMemory', 'found "80"', 'percent'],
    );
  });

  test.each([
    [true, 'monitoring', 'found true'],
    [['lifetimeRunsOut'], 'monitoring', 'found a list'],
    [null, 'monitoring', 'found null'],
    [{ alarms: 5 }, 'monitoring.alarms', 'found 5'],
    [{ alarm: {} }, 'monitoring.alarm', 'did you mean "alarms"'],
    [{ alarms: { lifetimeRunOut: 5 } }, 'monitoring.alarms.lifetimeRunOut', 'did you mean "lifetimeRunsOut"'],
  ])('rejects %j', (given, path, words) => {
    mistakes(given, [path, words]);
  });

  test('is where a reader is sent who writes alarms beside it', () => {
    expectMistakes(() => checkConfig({ ...config(undefined), alarms: {} }), ['alarms', 'monitoring: { alarms:']);
  });
});
