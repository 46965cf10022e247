import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import { toLambdaError } from '../../../lambdas/domain/contract/failure.ts';
import type { CheckRenewalInput } from '../../../lambdas/domain/contract/steps.ts';
import type { SavedOrder } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { errorOutputOf } from '../../fakes/error-output.ts';
import { configOf, factsWith, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

/** A certificate for which the CA can be asked by ARI. */
export const withId = factsWith({ certificateId: 'key.01' });
/** Four failures in a row, the last one half a day before `dueDay`. */
export const failure = {
  count: 4,
  issuerFailures: 0,
  last: '2026-03-14T10:00:00Z',
  error: 'CaaError',
  cause: 'CAA forbids it.',
};
export const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
/** The renewal is due on this day, and not on `quietDay`. */
export const dueDay = '2026-03-15T00:00:00Z';
export const quietDay = '2026-02-01T00:00:00Z';

/** Runs *Check renewal* for `www`, at its first attempt and on a quiet day unless the caller says otherwise. */
export function check(
  { ports }: World,
  {
    spec = specWith(),
    request = { certificate: 'www' },
    startedAt = quietDay,
    ...input
  }: Partial<CheckRenewalInput> & { readonly spec?: CertificateSpec } = {},
) {
  return checkRenewal(
    {
      ...run,
      cleaned: false,
      removed: [],
      reported: [],
      waitStarts: {},
      discardedOrder: null,
      request,
      startedAt,
      ...input,
    },
    { ...ports, config: configOf(spec) },
  );
}

/** Lets `otherExecution` end as if it was stopped. */
export function interrupted(world: World, input = '{"certificate":"www"}'): void {
  world.executions.setInput(otherExecution, input);
  world.executions.end(otherExecution, 'ABORTED');
}

/** Records the failure of *Check renewal* in the state that follows. `checked` is the spec that an earlier run of the attempt has returned. */
export const recordFailed = (
  { ports }: World,
  error: Error,
  {
    checked = null,
    spec = specWith(),
  }: { readonly checked?: CertificateSpec | null; readonly spec?: CertificateSpec } = {},
) =>
  recordFailure(
    {
      ...run,
      spec: checked,
      errorOutput: errorOutputOf(toLambdaError(error)),
      announced: null,
      removed: [],
      deploy: false,
      startedAt: quietDay,
    },
    { ...ports, config: configOf(spec) },
  );

/** An order that `otherExecution` has saved. */
export const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-06-01T00:00:00Z',
  execution: otherExecution,
  specHash: specWith().specHash,
  directoryUrl: issuer.directoryUrl,
};
/** The fields of `order` that the state of an execution has. */
export const reference = { url: order.url, finalize: order.finalize, expires: order.expires };

/** Creates a world in which `www` is issued, stored and in the ledger. */
export function issued(now = quietDay): World {
  const world = createWorld({ now });
  world.ledger.put('www', { current: factsWith(), announcedVersion: 'version-1' });
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  return world;
}
