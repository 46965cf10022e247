import { renewalTime } from '../../lambdas/domain/rules/renewal/renewal-time.ts';

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

/** The profile that a CA uses where none is asked for; `null` where that is not known. */
export function profileName(profile: string | null, directoryUrl = ''): string | null {
  return profile ?? (letsEncrypt.test(directoryUrl) ? 'classic' : null);
}

/** Hours that certificates of a profile are valid; `null` where that is not known. */
export function lifetimeOf(profile: string | null, directoryUrl = ''): number | null {
  const name = profileName(profile, directoryUrl);
  return (name !== null && profiles[name]?.lifetime) || null;
}

/** Hours from the issuance of a certificate with this lifetime (in hours) to its renewal. */
export function renewedAfter(lifetime: number): number {
  const notAfter = new Date(lifetime * 3_600_000).toISOString();
  return renewalTime({ notBefore: new Date(0).toISOString(), notAfter }).getTime() / 3_600_000;
}

const letsEncrypt = /^https:\/\/acme(-staging)?-v02\.api\.letsencrypt\.org\//;
