import {
  AccessDeniedError,
  CaUnavailableError,
  RateLimitedError,
  ThrottledError,
} from '../../../../../lambdas/domain/contract/errors.ts';
import type { Script } from '../../../../fakes/recorder.ts';
import { specWith } from '../../../../fakes/specs.ts';
import { spec } from '../renewal-in-memory.ts';
import { History } from './history.ts';
import { brokenInvariants, otherWriter } from './invariants.ts';

/** One history with the faults that are added to it. */
export interface Plan {
  readonly name: string;
  readonly run: () => Promise<History>;
}

/** The certificate with an import into ACM, and without. */
export const deliveries = { 'with ACM': spec, 'without ACM': specWith({ ...spec, regions: [] }) };

/** The state before the history: no certificate, or one whose renewal is due. */
export const beginnings = ['first certificate', 'renewal'] as const;

/** Returns a world in which a renewal is due, with a TXT value of another writer. */
export async function begin(beginning: (typeof beginnings)[number], configured = spec): Promise<History> {
  const history = new History(configured);
  history.world.hostedZones.put('Z1', '_acme-challenge.example.com', [otherWriter]);
  if (beginning === 'first certificate') return history;
  await history.renewal();
  history.world.clock.advance(70 * 86_400_000);
  history.allowedIssues = 2;
  return history;
}

/** Runs the renewal that is due 70 days later. */
export async function nextRenewal(history: History): Promise<void> {
  history.world.clock.advance(70 * 86_400_000);
  history.allowedIssues += 1;
  await history.renewal();
}

/** Returns the names of all calls of ports that a renewal makes, and how many were made before it. */
export async function callsOf(beginning: (typeof beginnings)[number], configured = spec) {
  const history = await begin(beginning, configured);
  const before = history.world.calls.made.length;
  await history.renewal();
  return { before, names: history.world.calls.names().slice(before) };
}

const isOfCa = (name: string): boolean => /^(ca|acme|renewalInfos)\./.test(name);

/** Faults of one call, by what the caller sees. */
export const faults: Readonly<Record<string, (name: string) => Script>> = {
  'loses its reply': (name) => ({
    kind: 'loseReply',
    error: isOfCa(name) ? new CaUnavailableError({ what: 'The connection was cut.' }) : throttled(name),
  }),
  'is throttled': (name) => ({
    kind: 'answer',
    error: isOfCa(name) ? new RateLimitedError({ what: 'Too many requests.' }) : throttled(name),
  }),
  'is denied': (name) => ({
    kind: 'answer',
    error: isOfCa(name)
      ? new CaUnavailableError({ what: 'The CA is not available.' })
      : new AccessDeniedError({ what: 'IAM denied the call.', action: name, resource: 'www' }),
  }),
};

const throttled = (action: string): ThrottledError =>
  new ThrottledError({ what: 'AWS throttled the call.', action, resource: 'www' });

/** Whether every history runs, as in `npm test`. Otherwise every 17th does, as in `npm run check`. */
const all = process.env.HISTORIES === 'all';

/** Returns the plans that run. A prime step does not always select the same kind of fault. */
export const selected = (plans: readonly Plan[]): readonly Plan[] =>
  all ? plans : plans.filter((_, index) => index % 17 === 0);

/** Runs the plans one after another. Returns each history in which an invariant does not hold. */
export async function violations(plans: readonly Plan[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, run } of plans) {
    const broken = await run().then(brokenInvariants, (error: unknown) => [String(error)]);
    if (broken.length > 0) found.push(`${name}: ${broken.join('; ')}`);
  }
  return found;
}
