/** Settings of every SDK client. Region and credentials come from the environment of the function. */
export const clientSettings = {
  retryMode: 'standard',
  /**
   * The SDK waits before each retry. The wait begins at 1 s for a throttled call and at 50 ms for others, doubles, and has full jitter. The sum is
   * at most 1 + 2 + 4 = 7 s, and 3.5 s on average. Longer waits are left to the workflow.
   */
  maxAttempts: 4,
  /** Time limit of a call, in ms. Calls take less than a second. Without a limit one lost packet would use up the time of the function. */
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

/**
 * Settings for a call that is not idempotent. The SDK would repeat it after a lost reply. Instead, the next attempt of the step first looks for the
 * result of the lost call.
 */
export const sentOnce = { ...clientSettings, maxAttempts: 1 } as const;

/** Creates a client at its first use and keeps it while the function is warm, with its connections and credentials. */
export function keptWarm<Client>(make: () => Client): () => Client {
  let kept: Client | undefined;
  return () => {
    kept ??= make();
    return kept;
  };
}
