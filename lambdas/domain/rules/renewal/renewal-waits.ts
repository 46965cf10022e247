import type { Decision } from './renewal-decision.ts';

/** Time between two checks whether another execution still orders for the same names, in seconds. */
const setWait = 60;
/**
 * Number of waits after which an execution ends. For the set lease, 60 waits are one hour. The same limit applies to the renewal time of the CA,
 * which can move on each fetch.
 */
const maximumWaits = 60;
/**
 * Time between two checks of a deployment that waits for a renewal in progress, in seconds. 150 waits are 25 of the 30 minutes that the deployment
 * may take.
 */
const deployWait = 10;
const maximumDeployWaits = 150;

/** Returns the decision while another execution holds the lease of the certificate. Only a deployment waits for the lease. */
export function whileCertificateLeaseIsTaken(
  holder: string,
  { deploy, waits }: { readonly deploy: boolean; readonly waits: number },
): Decision {
  const reason = `in progress by ${holder}`;
  return deploy && waits < maximumDeployWaits
    ? { action: 'wait', wait: deployWait, reason }
    : { action: 'none', wait: 0, reason };
}

/** Returns the decision while another execution holds the lease of the identifier set. */
export const whileSetLeaseIsTaken = (holder: string, waits: number): Decision =>
  boundedWait({ action: 'wait', wait: setWait, reason: `the same names are being issued by ${holder}` }, waits);

/** Returns the wait, or `none` if the execution has reached the limit of waits. */
export const boundedWait = (wait: Decision, waits: number): Decision =>
  waitLimitReached(waits)
    ? { action: 'none', wait: 0, reason: `${wait.reason}, after ${waits} waits; the next fleet run checks again` }
    : wait;

export const waitLimitReached = (waits: number): boolean => waits >= maximumWaits;
