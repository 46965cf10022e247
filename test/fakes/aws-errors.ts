import { AccessDeniedError, ThrottledError } from '../../lambdas/domain/contract/errors.ts';

const call = { action: 'service:Operation', resource: 'a resource' };

/** Returns the error that an adapter throws when AWS throttles a call. */
export const throttledError = (what = 'Slow down.'): ThrottledError => new ThrottledError({ what, ...call });

/** Returns the error that an adapter throws when AWS denies a call. */
export const deniedError = (what = 'It was denied.'): AccessDeniedError => new AccessDeniedError({ what, ...call });
