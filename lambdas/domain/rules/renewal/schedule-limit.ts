import { counted } from '../wording.ts';
import { renewalTime } from './renewal-time.ts';

type Validity = Parameters<typeof renewalTime>[0];

/** Fleet runs that have to fit between the renewal time and the expiry, so that a failing renewal is retried often enough. */
export const runsBeforeExpiry = 8;

/** The longest time between two fleet runs for certificates of this validity, in seconds. */
export function longestInterval(validity: Validity): number {
  return (Date.parse(validity.notAfter) - renewalTime(validity).getTime()) / 1000 / runsBeforeExpiry;
}

/** Certificates are often a second shorter than their lifetime. */
const tolerance = 1.01;

/**
 * Returns a warning as a phrase if the schedule is too slow for a certificate, or `null`. Synth knows only the lifetimes that a CA has announced for its
 * profiles, so an issued certificate is compared too.
 *
 * @param checkInterval longest time between two fleet runs, in seconds
 */
export function slowScheduleWarning(validity: Validity, checkInterval: number): string | null {
  const longest = longestInterval(validity);
  if (checkInterval <= longest * tolerance) return null;
  const lifetime = (Date.parse(validity.notAfter) - Date.parse(validity.notBefore)) / 1000;
  const needed = Math.max(60, longest);
  return `it lives for ${duration(lifetime)}, and the schedule of ${duration(checkInterval)} is too slow for it. Set schedule to ${duration(needed)} or less, so that ${runsBeforeExpiry} runs fit between its renewal time and its expiry`;
}

/** Whole minutes, or whole hours from three hours on. */
function duration(seconds: number): string {
  if (seconds >= 3 * 3600) return `${Math.round(seconds / 3600)} h`;
  // A second is added, because certificates are often a second shorter than their lifetime.
  return counted(Math.floor((seconds + 1) / 60), 'minute');
}
