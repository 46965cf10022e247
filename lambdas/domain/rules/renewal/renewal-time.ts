const hour = 3_600_000;
const day = 24 * hour;

/** Below this lifetime a half, not a third, is left at renewal: Let's Encrypt's integration guide, 2025. */
const shortLifetime = 10 * day;

/** RFC 3339. */
interface Validity {
  readonly notBefore: string;
  readonly notAfter: string;
}

const lifetimeOf = ({ notBefore, notAfter }: Validity): number => Date.parse(notAfter) - Date.parse(notBefore);

/** When a certificate is due by its dates alone: a third of its lifetime left, half of it below ten days. */
export function renewalTime(validity: Validity): Date {
  const lifetime = lifetimeOf(validity);
  return new Date(Date.parse(validity.notAfter) - lifetime / (lifetime < shortLifetime ? 2 : 3));
}

/**
 * From here on nothing may hold a renewal back, no window of the CA's and no date after a failure: a twentieth of the lifetime
 * left, 4.5 of 90 days. A twentieth of 160 hours would be 8, one or two fleet runs: below ten days of lifetime it is 24 hours at least.
 */
export function emergencyTime(validity: Validity): Date {
  const lifetime = lifetimeOf(validity);
  const left = lifetime < shortLifetime ? Math.max(lifetime / 20, day) : lifetime / 20;
  return new Date(Date.parse(validity.notAfter) - left);
}

export function isEmergency(validity: Validity | null, now: Date): boolean {
  return validity !== null && now >= emergencyTime(validity);
}

/** Whole and broken days until it expires; negative after. */
export function daysLeft({ notAfter }: Pick<Validity, 'notAfter'>, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / day;
}
