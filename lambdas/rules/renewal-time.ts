const day = 86_400_000;

/** Below this lifetime a half, not a third, is left at renewal: Let's Encrypt's integration guide, 2025. */
const shortLifetime = 10 * day;

/** When a certificate is due by its dates alone: a third of its lifetime left, half of it below ten days. */
export function renewalTime({ notBefore, notAfter }: { readonly notBefore: string; readonly notAfter: string }): Date {
  const end = Date.parse(notAfter);
  const lifetime = end - Date.parse(notBefore);
  return new Date(end - lifetime / (lifetime < shortLifetime ? 2 : 3));
}

/** Whole and broken days until it expires; negative after. */
export function daysLeft({ notAfter }: { readonly notAfter: string }, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / day;
}
