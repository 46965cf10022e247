/** What every SDK client is made with. Region and credentials come from the function's environment. */
export const clientSettings = {
  retryMode: 'standard',
  /**
   * The SDK doubles a wait that begins at 1 s for a throttled call (50 ms for others) and takes a random part of it: at most
   * 1 + 2 + 4 = 7 s, 3.5 s on average, then the workflow waits longer than a function should.
   */
  maxAttempts: 4,
  /** ms. Calls answer in well under a second; without a limit one lost packet costs the function's whole time. */
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

/**
 * For a call that acts twice when it is made twice: the SDK would repeat it at once when only its reply was lost. The step's next try
 * looks first for what the lost one has made.
 */
export const sentOnce = { ...clientSettings, maxAttempts: 1 } as const;

/** Makes a client at its first use and keeps it while the function is warm, with its connections and credentials. */
export function keptWarm<Client>(make: () => Client): () => Client {
  let kept: Client | undefined;
  return () => {
    kept ??= make();
    return kept;
  };
}
