import type { CertificateFacts, Validity } from '../../contract/certificate-facts.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** Certificates with a shorter lifetime are renewed with half of it left, not a third. Let's Encrypt, integration guide, 2025 */
const shortLifetime = 10 * day;

const lifetimeOf = ({ notBefore, notAfter }: Validity): number => Date.parse(notAfter) - Date.parse(notBefore);

/** The renewal time by the dates alone: with a third of the lifetime left, or half of it for lifetimes below ten days. */
export function renewalTime(validity: Validity): Date {
  const lifetime = lifetimeOf(validity);
  return new Date(Date.parse(validity.notAfter) - lifetime / (lifetime < shortLifetime ? 2 : 3));
}

/**
 * The time from which neither the CA's window nor an earlier failure delays a renewal. A twentieth of the lifetime is left then, which is 4.5 of
 * 90 days. A twentieth of 160 hours is 8 hours, which is one or two fleet runs. So 24 hours are left for lifetimes below ten days, and a quarter of
 * the lifetime below four days, which is half of the time after the renewal time.
 */
export function emergencyTime(validity: Validity): Date {
  const lifetime = lifetimeOf(validity);
  const left = lifetime < shortLifetime ? quarterUpToADay(validity) : lifetime / 20;
  return new Date(Date.parse(validity.notAfter) - left);
}

/** A day in ms, or a quarter of the lifetime if that is shorter, as for lifetimes below four days. */
export const quarterUpToADay = (validity: Validity): number => Math.min(day, lifetimeOf(validity) / 4);

/**
 * Time between two attempts in an emergency, in ms: 100 minutes, the last delay of the retry schedule, which makes 15 attempts a day at most. For
 * lifetimes below 27 hours it is a sixteenth of the lifetime, so that an emergency has room for four attempts.
 */
export const emergencySpacing = (validity: Validity): number => Math.min(6_000_000, lifetimeOf(validity) / 16);

/** The certificate in use, and the version of the secret that was revoked last, as the ledger has them. */
export interface InUse {
  readonly current: (Validity & Pick<CertificateFacts, 'versionId'>) | null;
  readonly revokedVersion?: string;
}

/** Tells whether the certificate in use was revoked, so that clients may reject it already. */
export const isRevoked = ({ current, revokedVersion }: InUse): boolean =>
  current !== null && current.versionId === revokedVersion;

/**
 * Tells whether the certificate in use was revoked, or its emergency time has passed. Nothing delays the renewal then but the time between two
 * attempts.
 */
export function isEmergency(inUse: InUse, now: Date): boolean {
  const { current } = inUse;
  return current !== null && (isRevoked(inUse) || now >= emergencyTime(current));
}

/** Days until the certificate expires, with fractions. Negative after that. */
export function daysLeft({ notAfter }: Pick<Validity, 'notAfter'>, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / day;
}

/** Part of the lifetime that is left, from 1 at the beginning to 0 at the end. Negative after that. */
export function lifetimeLeft(validity: Validity, now: Date): number {
  return (Date.parse(validity.notAfter) - now.getTime()) / lifetimeOf(validity);
}
