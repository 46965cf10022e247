/** Seconds after which Lambda stops a function at the latest. */
const longestTimeout = 900;

/** Seconds of the certificate function for its calls to AWS, which follow the last reply of the CA. */
const timeForAws = 30;

/**
 * Longest `replyTimeout` of an issuer, in seconds. *Finalize order* sends four requests at most (directory, nonce, CSR, and the order if the reply to
 * the CSR was lost). They take 4 × 200 = 800 s, which leaves time for the calls to AWS.
 */
export const longestReply = 200;

/** Alternate chains that are downloaded at most. CAs offer one to three. */
export const maximumAlternates = 4;

/**
 * Returns the seconds after which *Store certificate* has the last reply of a CA. It sends three requests (directory, nonce, chain) and one for each
 * alternate chain. From 125 s a reply they would take longer than the function may run. The first three take 3 × 200 = 600 s at most, and alternate
 * chains have the rest of the time.
 */
export const downloadTime = (replyTimeout: number): number =>
  Math.min((3 + maximumAlternates) * replyTimeout, longestTimeout - timeForAws);

/** Returns the timeout of the certificate function in seconds, for the slowest of the issuers. */
export const certificateTimeout = (slowestReply: number): number => downloadTime(slowestReply) + timeForAws;
