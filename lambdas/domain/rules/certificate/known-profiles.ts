import { renewalTime } from '../renewal/renewal-time.ts';

interface Profile {
  /** Hours. The shortest lifetime that the CA has announced. */
  readonly lifetime: number;
  /** Largest number of names in one certificate. */
  readonly names: number;
}

/**
 * The profiles of Let's Encrypt (https://letsencrypt.org/docs/profiles). Certificates of `classic` are valid for 90 days, from February
 * 2027 for 64 days, and from February 2028 for 45 days (https://letsencrypt.org/2025/12/02/from-90-to-45). The shortest lifetime is used,
 * so that a schedule stays valid.
 */
const profiles: Readonly<Record<string, Profile>> = {
  classic: { lifetime: 45 * 24, names: 100 },
  tlsserver: { lifetime: 45 * 24, names: 25 },
  shortlived: { lifetime: 160, names: 25 },
};

/** Returns the largest number of names in one certificate of this profile. */
export function mostIdentifiers(profile: string | null): number {
  return (profile !== null && profiles[profile]?.names) || 100;
}

/** Returns the profile that the CA uses, or `null` if the default profile of the CA is not known. */
export function profileName(profile: string | null, directoryUrl = ''): string | null {
  return profile ?? (letsEncrypt.test(directoryUrl) ? 'classic' : null);
}

/** Returns the hours that certificates of a profile are valid, or `null` if they are not known. */
export function lifetimeOf(profile: string | null, directoryUrl = ''): number | null {
  const name = profileName(profile, directoryUrl);
  return (name !== null && profiles[name]?.lifetime) || null;
}

/** Hours, for a CA that announces no lifetime. From March 2029 browsers accept at most 47 days (CA/Browser Forum, ballot SC-081v3). */
export const unknownLifetime = 45 * 24;

/** Returns the hours from the issuance of a certificate with this lifetime (in hours) to its renewal. */
export const renewedAfter = (lifetime: number): number => renewalTime(validityOf(lifetime)).getTime() / 3_600_000;

/** Returns the validity of a certificate with this lifetime (in hours) that is issued at the start of 1970. */
export const validityOf = (lifetime: number): { readonly notBefore: string; readonly notAfter: string } => ({
  notBefore: new Date(0).toISOString(),
  notAfter: new Date(lifetime * 3_600_000).toISOString(),
});

const letsEncrypt = /^https:\/\/acme(-staging)?-v02\.api\.letsencrypt\.org\//;
