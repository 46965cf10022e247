import type { HostedZone } from '../domain/contract/config.ts';
import { PerennialError } from '../domain/contract/errors.ts';

/** The error, which names the domain of the zone beside its id: in an app with a CDK token for it, the id stands nowhere in the config. */
export function aboutZone({ id, name }: HostedZone, error: unknown): unknown {
  if (error instanceof PerennialError && !error.message.includes(name)) {
    error.message = error.message.replace(`osted zone ${id}`, `$& of ${name}`);
  }
  return error;
}
