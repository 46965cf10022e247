/** Nothing could be found out; the message says in words why, as the end of a sentence. */
export class LookupError extends Error {
  override name = 'LookupError';
}

/** What was promised, or `null` when the time is over before. Throws `LookupError` as soon as the signal aborts. */
export async function within<T>(milliseconds: number, promised: Promise<T>, signal?: AbortSignal): Promise<T | null> {
  const end = Promise.withResolvers<null>();
  const timer = setTimeout(() => end.resolve(null), milliseconds);
  try {
    return await unlessAborted(Promise.race([promised, end.promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What was promised. Throws `LookupError` as soon as the signal aborts. */
export async function unlessAborted<T>(promised: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promised;
  const end = Promise.withResolvers<never>();
  const abort = () => end.reject(new LookupError('the time for the whole look-up is over'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promised, end.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
