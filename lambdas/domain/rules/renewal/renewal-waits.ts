import type { Decision } from './renewal-decision.ts';

/** Seconds between two checks for the end of another execution that orders for the same names. */
const setWait = 60;
/** For the set lease one hour. The renewal time of the CA, which can move with each fetch, is waited for as often. */
const mostWaits = 60;
/** Seconds. A deployment that meets a renewal in progress waits for its end: 150 times is 25 minutes, of the 30 that it may take. */
const deployWait = 10;
const mostDeployWaits = 150;

/** The answer while another execution has the lease of the certificate. Only a deployment waits for its end. */
export function whileCertificateIsHeld(
  holder: string,
  { deploy, waits }: { readonly deploy: boolean; readonly waits: number },
): Decision {
  const reason = `in progress by ${holder}`;
  return deploy && waits < mostDeployWaits
    ? { action: 'wait', wait: deployWait, reason }
    : { action: 'none', wait: 0, reason };
}

/** The answer while another execution has the lease of the identifier set. */
export const whileSetIsHeld = (holder: string, waits: number): Decision =>
  boundedWait({ action: 'wait', wait: setWait, reason: `the same names are being issued by ${holder}` }, waits);

/** The wait, or the end of the execution where it has waited as often as it may. */
export const boundedWait = (wait: Decision, waits: number): Decision =>
  waitedEnough(waits)
    ? { action: 'none', wait: 0, reason: `${wait.reason}, after ${waits} waits; the next fleet run looks again` }
    : wait;

export const waitedEnough = (waits: number): boolean => waits >= mostWaits;
