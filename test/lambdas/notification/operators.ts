import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import type { NotificationMessage } from '../../../lambdas/domain/contract/notification.ts';
import type { LedgerCertificate } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { notifyOperators } from '../../../lambdas/notification/notify-operators.ts';
import { readQueue } from '../../../lambdas/notification/read-queue.ts';
import { FakeClock, FakeLog } from '../../fakes/clock.ts';
import { failed } from '../../fakes/events.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { FakeNotificationLedger } from '../../fakes/notification-ledger.ts';
import { configOf, factsWith, specWith } from '../../fakes/specs.ts';

export const place = { stack: 'Perennial', region: 'eu-west-1' };

/** Returns the body of an event as EventBridge puts it into the queue. */
export const eventBody = (detailType: string, detail: object): string =>
  JSON.stringify({ version: '0', source: 'perennial', 'detail-type': detailType, detail });

/** Operators of a deployment with these certificates. All of them are valid until 1 April 2026, and it is 1 March. */
export function operators(...certificates: readonly (string | CertificateSpec)[]) {
  const ledger = new FakeLedger();
  const notificationLedger = new FakeNotificationLedger(ledger);
  const clock = new FakeClock('2026-03-01T12:00:00Z');
  const log = new FakeLog();
  const inbox: NotificationMessage[] = [];
  const specs = certificates.map((each) =>
    typeof each === 'string'
      ? specWith({ name: each, identifiers: [`${each}.example.com`], endpoints: ['a.test:443', 'b.test:443'] })
      : each,
  );
  for (const { name, identifiers } of specs)
    ledger.put(name, { current: factsWith({ identifiers }), announcedVersion: 'version-1' });
  const config = configOf(...specs);
  let invocations = 0;

  /** Calls the function with these bodies, and returns the messages that arrive. */
  const deliver = async (...bodies: readonly string[]): Promise<readonly NotificationMessage[]> => {
    const before = inbox.length;
    invocations += 1;
    const records = bodies.map((body, index) => ({ messageId: String(index), body }));
    await notifyOperators(
      { ...readQueue(records, log), invocation: `invocation-${invocations}` },
      {
        config,
        place,
        ledger: notificationLedger,
        topic: { publish: async (message) => void inbox.push(message) },
        clock,
        log,
      },
    );
    return inbox.slice(before);
  };
  const put = (name: string, record: Partial<LedgerCertificate>) => ledger.put(name, record);
  return {
    clock,
    log,
    notificationLedger,
    put,
    deliver,
    /** Records a failure as *Record failure* does, and returns the body of its event. */
    fail(name: string, error: string, cause: string, { count = 1, action = null as string | null } = {}): string {
      const last = clock.now().toISOString();
      const nextAttempt = new Date(clock.now().getTime() + 86_400_000).toISOString();
      put(name, { failure: { count, issuerFailures: 0, last, error, cause }, notBefore: nextAttempt });
      return eventBody('Certificate Renewal Failed', {
        ...failed,
        certificate: name,
        error,
        cause,
        action,
        nextAttempt,
      });
    },
    /** Records a success as *Record success* does. */
    recover: (name: string) => put(name, { failure: null, notBefore: null }),
    remind: () => deliver(JSON.stringify({ notification: 'reminder' })),
    digest: () => deliver(JSON.stringify({ notification: 'digest' })),
  };
}
