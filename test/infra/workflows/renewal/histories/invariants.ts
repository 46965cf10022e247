import { schemaErrors } from '../../../../event-schemas.ts';
import type { History } from './history.ts';

/** What holds at the end of every history. `History` checks what holds at every moment, and adds it to `broken`. */
const invariants: Readonly<Record<string, (history: History) => boolean | Promise<boolean>>> = {
  'no key is lost: the secret holds the key of every order that has a CSR': ({ world: { ca, secrets } }) => {
    const keys = secrets.keys('www');
    return [...ca.finalizedWith.values()].every((key) => keys.includes(key));
  },
  'a fault issues nothing twice': ({ world: { ca }, allowedIssues }) => ca.finalizedWith.size <= allowedIssues,
  'a certificate is current': (history) => history.current() !== null,
  'the current certificate is valid and has the configured identifiers': (history) => {
    const value = history.current();
    const { identifiers, keyType } = history.configured;
    return (
      value !== null &&
      Date.parse(value.notAfter) > history.world.clock.now().getTime() &&
      value.keyType === keyType &&
      value.identifiers.join() === identifiers.join()
    );
  },
  'the ledger knows the current version': ({ world: { ledger, secrets } }) =>
    ledger.get('www').current?.versionId === secrets.currentVersion('www'),
  'every region has the current version': ({ configured, world: { acm, ledger } }) => {
    const { current, deliveries } = ledger.get('www');
    return configured.regions.every((region) => {
      const { arn, versionId } = deliveries[region] ?? {};
      return (
        arn !== undefined &&
        versionId === current?.versionId &&
        acm.get(region, arn).serialNumber === current?.serialNumber.toLowerCase()
      );
    });
  },
  'no lease stays locked': async ({ configured, world: { executions, ledger } }) => {
    const holders = [ledger.get('www').lease, ledger.setLease(configured.setHash)];
    const live = await Promise.all(
      holders.map(async (arn) => arn !== null && (await executions.status(arn)) === 'live'),
    );
    return !live.includes(true);
  },
  'no order and no failure is left': ({ world: { ledger } }) => {
    const { order, failure } = ledger.get('www');
    return order === null && failure === null;
  },
  'no value of another writer is removed': (history) => valuesIn(history).includes(otherWriter),
  'no TXT value is left, except one that cannot be removed': (history) =>
    history.world.ledger.get('www').leftovers.length === 0 &&
    (history.mayLeaveValues || leftValues(history).length === 0),
  'every TXT value that is left was reported': (history) => {
    const { events, log } = history.world;
    const failures = events.published.filter(({ detailType }) => detailType === 'Certificate Clean-Up Failed');
    const reported = [...log.messages('warn'), JSON.stringify(failures)].join();
    return leftValues(history).every((value) => reported.includes(value.replaceAll('"', '')));
  },
  'no compromised key is current': async (history) => {
    const value = history.current();
    return value === null || !(await history.world.secrets.isCompromised('www', value.privateKey));
  },
  'every stored certificate with a compromised key is revoked': async ({ world: { acme, secrets } }) => {
    const { stored } = await secrets.list('www');
    const compromised = await Promise.all(stored.map(({ value }) => secrets.isCompromised('www', value.privateKey)));
    const revoked = acme.revocations.map(({ certificate }) => certificate);
    return stored.every(
      ({ value }, index) => !compromised[index] || revoked.some((pem) => pem.startsWith(value.certificate)),
    );
  },
  'every issued certificate with a compromised key is revoked, also one that was never stored': async ({
    world: { acme, ca, secrets },
  }) => {
    for (const [url, key] of ca.finalizedWith) {
      if (ca.state(url).status !== 'valid' || !(await secrets.isCompromised('www', key))) continue;
      const { pem } = await ca.certificate(`${url}/certificate`);
      if (!acme.revocations.some(({ certificate }) => pem.startsWith(certificate))) return false;
    }
    return true;
  },
  'the current version has the event "Certificate Renewed"': ({ world: { events, secrets } }) =>
    events.announcedVersions().includes(secrets.currentVersion('www')),
  'a failed execution has an event': ({ ends, world: { events } }) =>
    [...ends].every(
      ([arn, { status }]) => status !== 'FAILED' || events.published.some(({ detail }) => detail.execution === arn),
    ),
  'every execution waits for less than five hours in all': ({ ends }) =>
    [...ends.values()].every(({ waited }) => waited < 5 * 3600),
  'every event satisfies its schema': ({ world: { events } }) =>
    events.published.every(({ detailType, detail }) => schemaErrors(detailType, detail).length === 0),
  'no event has a private key or a PEM block': ({ world: { events } }) =>
    !/PRIVATE|BEGIN/.test(JSON.stringify(events.published)),
};

const valuesIn = ({ world: { hostedZones } }: History): readonly string[] =>
  hostedZones.all('Z1').flatMap((set) => set.values);

/** The values of this stack in the first hosted zone, with their quotes. */
const leftValues = (history: History): readonly string[] => valuesIn(history).filter((value) => value !== otherWriter);

/** A TXT value of another writer at the name of a challenge, with its quotes. */
export const otherWriter = '"another writer"';

/** Returns the names of the invariants that do not hold. */
export async function brokenInvariants(history: History): Promise<readonly string[]> {
  const results = await Promise.all(
    Object.entries(invariants).map(async ([name, holds]) => ((await holds(history)) ? [] : [name])),
  );
  return [...history.broken, ...results.flat()];
}
