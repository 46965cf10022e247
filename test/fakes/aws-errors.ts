import { AccessDeniedError, ThrottledError } from '../../lambdas/domain/contract/errors.ts';

const call = { action: 'service:Operation', resource: 'a resource' };

/** What an adapter throws when AWS throttles a call. */
export const throttledError = (what = 'Slow down.'): ThrottledError => new ThrottledError({ what, ...call });

/** What an adapter throws when a call is denied. */
export const deniedError = (what = 'It was denied.'): AccessDeniedError => new AccessDeniedError({ what, ...call });
