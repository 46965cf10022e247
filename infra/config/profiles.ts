import { renewalTime } from '../../lambdas/domain/rules/renewal/renewal-time.ts';
import { type Report, show } from './fields.ts';

interface Profile {
  /** Hours; the shortest that is announced. */
  readonly lifetime: number;
  /** Names in one certificate, at most. */
  readonly names: number;
}

/**
 * Let's Encrypt's (https://letsencrypt.org/docs/profiles). `classic` gives 90 days today, 64 from February 2027 and 45 from February
 * 2028 (https://letsencrypt.org/2025/12/02/from-90-to-45): a schedule should outlive that.
 */
const profiles: Readonly<Record<string, Profile>> = {
  classic: { lifetime: 45 * 24, names: 100 },
  tlsserver: { lifetime: 45 * 24, names: 25 },
  shortlived: { lifetime: 160, names: 25 },
};

export function mostIdentifiers(profile: string | null): number {
  return (profile !== null && profiles[profile]?.names) || 100;
}

/**
 * Checks of the fleet that have to fit between the renewal point and the expiry: after the tries inside an execution, a failing renewal
 * is tried again by the fleet, at most `remaining / 8` apart for short lifetimes. For 160 h, renewed with 80 h left, that is
 * every 10 h; for 45 days, renewed with 15 left, every 45 h.
 */
const checksBeforeExpiry = 8;

export function longestInterval(lifetimeHours: number): number {
  const end = new Date(lifetimeHours * 3_600_000);
  const due = renewalTime({ notBefore: new Date(0).toISOString(), notAfter: end.toISOString() });
  return (end.getTime() - due.getTime()) / checksBeforeExpiry / 1000;
}

/** Hours that certificates of a profile last; `null`: it is not known. */
export function lifetimeOf(profile: string | null, directoryUrl = ''): number | null {
  const name = nameOf(profile, directoryUrl);
  return (name !== null && profiles[name]?.lifetime) || null;
}

const nameOf = (profile: string | null | undefined, directoryUrl: string): string | null =>
  profile ?? (letsEncrypt.test(directoryUrl) ? 'classic' : null);

const letsEncrypt = /^https:\/\/acme(-staging)?-v02\.api\.letsencrypt\.org\//;

/** One mistake for each profile that the schedule is too rare for, at the first certificate that has it. */
export function checkProfileIntervals(
  { schedule, seconds }: { readonly schedule: string; readonly seconds: number },
  certificates: readonly { readonly profile?: string | null | undefined; readonly directoryUrl?: string | undefined }[],
  report: Report,
): void {
  const told = new Set<string>();
  for (const [index, { profile, directoryUrl = '' }] of certificates.entries()) {
    const name = nameOf(profile, directoryUrl);
    const known = name === null ? undefined : profiles[name];
    if (name === null || !known || told.has(name) || seconds <= longestInterval(known.lifetime)) continue;
    told.add(name);
    const found = `found ${show(schedule)}, ${hours(seconds)} between two checks`;
    const why = `${checksBeforeExpiry} have to fit between its renewal point and its expiry`;
    report(
      'schedule',
      `${found}, allowed: at most ${hours(longestInterval(known.lifetime))}, because certificates[${index}] has the profile ${name} (${hours(known.lifetime * 3600)}) and ${why}`,
    );
  }
}

const hours = (seconds: number): string => `${Math.round((seconds / 3600) * 10) / 10} h`;
