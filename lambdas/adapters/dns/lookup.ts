/** A lookup failed. The message gives the reason and is written to end a sentence. */
export class LookupError extends Error {
  override name = 'LookupError';
}

/** The promised value, or `null` when the time ends first. Throws `LookupError` as soon as the signal aborts. */
export async function within<T>(milliseconds: number, promised: Promise<T>, signal?: AbortSignal): Promise<T | null> {
  const end = Promise.withResolvers<null>();
  const timer = setTimeout(() => end.resolve(null), milliseconds);
  try {
    return await unlessAborted(Promise.race([promised, end.promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The promised value. Throws `LookupError` as soon as the signal aborts. */
export async function unlessAborted<T>(promised: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promised;
  const end = Promise.withResolvers<never>();
  const abort = () => end.reject(new LookupError('the time for the whole lookup is over'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promised, end.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
