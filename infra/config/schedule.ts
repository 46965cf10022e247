import { Duration } from 'aws-cdk-lib';
import { z } from 'zod';
import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { lifetimeOf, profileName, validityOf } from '../../lambdas/domain/rules/certificate/known-profiles.ts';
import { longestInterval, runsBeforeExpiry } from '../../lambdas/domain/rules/renewal/schedule-limit.ts';
import type { ReadCertificate } from './certificates.ts';
import type { Report } from './mistakes.ts';

const allowedRate = 'a rate such as "rate(6 hours)", "rate(1 day)" or "rate(90 minutes)"';
const allowedDuration = 'a Duration of whole minutes that is known at synth, at least one minute';

/** Reads `schedule`, which is a rate in the config file and a `Duration` in the construct. Returns the seconds between two fleet runs. */
export const schedule = z
  .unknown()
  .transform((value, context): number => {
    const [minutes, allowed] =
      value instanceof Duration
        ? [minutesOfDuration(value), allowedDuration]
        : [minutesOfRate(value), typeof value === 'string' ? allowedRate : `${allowedRate}, or ${allowedDuration}`];
    if (minutes !== null) return minutes * 60;
    context.addIssue(allowed);
    return z.NEVER;
  })
  .default(6 * 3600);

/**
 * Returns the minutes, or `null` if EventBridge Scheduler rejects the duration. It accepts whole minutes only. The length of a CDK token is
 * not known.
 */
function minutesOfDuration(duration: Duration): number | null {
  const minutes = duration.isUnresolved() ? 0 : duration.toMinutes({ integral: false });
  return Number.isInteger(minutes) && minutes > 0 ? minutes : null;
}

const minutesIn = { minute: 1, hour: 60, day: 24 * 60 } as const;

/**
 * Returns the minutes, or `null` for any other text. EventBridge requires a singular unit after 1 and a plural unit after other numbers.
 */
function minutesOfRate(value: unknown): number | null {
  const found = typeof value === 'string' && /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(value);
  if (!found) return null;
  const [, count, unit, plural] = found;
  return (count === '1') === (plural === '') ? Number(count) * minutesIn[unit as keyof typeof minutesIn] : null;
}

/**
 * Hours. The longest interval for an unknown lifetime. It fits lifetimes from 72 days, because a third of 72 days divided by 8 is 3 days.
 */
const longestWithoutLifetime = 3 * 24;

/** Reports an interval (in seconds) that is too long for a certificate, once for each profile. */
export function checkInterval(
  interval: number,
  certificates: readonly ReadCertificate[],
  issuers: readonly Issuer[],
  report: Report,
): void {
  const reported = new Set<string | null>();
  for (const [index, { profile = null, issuers: [issuer = -1] = [] }] of certificates.entries()) {
    const directoryUrl = issuers[issuer]?.directoryUrl;
    const lifetime = lifetimeOf(profile, directoryUrl);
    const name = lifetime === null ? null : profileName(profile, directoryUrl);
    const longest = lifetime === null ? longestWithoutLifetime : longestInterval(validityOf(lifetime)) / 3600;
    if (interval <= longest * 3600 || reported.has(name)) continue;
    reported.add(name);
    const why =
      lifetime === null
        ? `the lifetime of certificates[${index}] is not known at synth`
        : `certificates[${index}] has the profile ${name} (${lifetime} h) and ${runsBeforeExpiry} runs have to fit between its renewal time and its expiry`;
    report(
      'schedule',
      `found a run every ${text(interval)}`,
      `expected one at least every ${longest} h, because ${why}`,
    );
  }
}

const text = (seconds: number): string => (seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds / 60} minutes`);
