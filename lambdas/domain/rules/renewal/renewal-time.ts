import type { Validity } from '../../contract/certificate-facts.ts';

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
 * 90 days. A twentieth of 160 hours is 8 hours, which is one or two fleet runs. So at least 24 hours are left for lifetimes below ten days.
 */
export function emergencyTime(validity: Validity): Date {
  const lifetime = lifetimeOf(validity);
  const left = lifetime < shortLifetime ? Math.max(lifetime / 20, day) : lifetime / 20;
  return new Date(Date.parse(validity.notAfter) - left);
}

/** Tells whether the emergency time has passed. */
export function isEmergency(validity: Validity | null, now: Date): boolean {
  return validity !== null && now >= emergencyTime(validity);
}

/** Days until the certificate expires, with fractions. Negative after that. */
export function daysLeft({ notAfter }: Pick<Validity, 'notAfter'>, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / day;
}

/** Part of the lifetime that is left, from 1 at the beginning to 0 at the end. Negative after that. */
export function lifetimeLeft(validity: Validity, now: Date): number {
  return (Date.parse(validity.notAfter) - now.getTime()) / lifetimeOf(validity);
}
