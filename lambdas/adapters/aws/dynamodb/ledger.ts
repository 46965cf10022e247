import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { IssuerAccount } from '../../../domain/contract/certificate-facts.ts';
import { LeaseLostError } from '../../../domain/contract/errors.ts';
import type { LeaseHolder, LeaseKey, Ledger } from '../../../domain/ports/ledger.ts';
import { fromAttribute, toAttribute } from './attribute-values.ts';
import { ledgerCounts } from './ledger-counts.ts';
import { accountId, certificateId, certificateOf, leftoverSet, setId, setsOf } from './ledger-item.ts';
import { type Item, ledgerTable, placeholder, type Update } from './ledger-table.ts';

/** The ledger in one DynamoDB table. Every update is repeatable: its condition holds, or its effect is there, a second time. */
export function createLedger({ table, client }: { readonly table: string; readonly client?: DynamoDBClient }): Ledger {
  const items = ledgerTable(table, client);
  const { read, readAll, update } = items;

  /** An update that holds only while this execution has the certificate's lease. */
  async function updateLeased(certificate: string, execution: string, change: Update): Promise<void> {
    const holds = '#lease = :execution';
    const item = await update(certificateId(certificate), {
      expression: change.expression,
      condition: change.condition ? `${holds} AND ${change.condition}` : holds,
      names: [...change.names, 'lease'],
      values: { ...change.values, ':execution': { S: execution } },
    });
    if (item && item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
  }

  async function take(id: string, execution: string, now: Date, instead: string | undefined, change: Update) {
    const item = await update(id, {
      expression: `SET #lease = :execution, #leasedAt = :now${change.expression}`,
      condition: `attribute_not_exists(#lease) OR #lease = :execution${instead ? ' OR #lease = :instead' : ''}`,
      names: ['lease', 'leasedAt', ...change.names],
      values: {
        ':execution': { S: execution },
        ':now': { S: now.toISOString() },
        ...(instead ? { ':instead': { S: instead } } : {}),
        ...change.values,
      },
    });
    return item && holderOf(item);
  }

  async function giveBack(id: string, execution: string, alsoRemove: readonly string[]): Promise<void> {
    const names = ['lease', 'leasedAt', ...alsoRemove];
    await update(id, {
      expression: `REMOVE ${names.map(placeholder).join(', ')}`,
      condition: '#lease = :execution',
      names,
      values: { ':execution': { S: execution } },
    });
  }

  return {
    certificate: async (name) => certificateOf(await read(certificateId(name))),

    async certificates(names) {
      const found = await readAll(names.map(certificateId));
      return new Map(
        names.flatMap((name) => {
          const item = found.get(certificateId(name));
          return item ? [[name, certificateOf(item)]] : [];
        }),
      );
    },

    async takeLease(key: LeaseKey, { certificate, execution }, now, instead): Promise<LeaseHolder | null> {
      if ('certificate' in key) {
        return take(certificateId(key.certificate), execution, now, instead, {
          expression: ', #deliveries = if_not_exists(#deliveries, :empty)',
          names: ['deliveries'],
          values: { ':empty': { M: {} } },
        });
      }
      // Noted first: a lease of a set that is not noted would be held until somebody found this execution dead.
      await updateLeased(certificate, execution, {
        expression: 'ADD #sets :sets',
        names: ['sets'],
        values: { ':sets': { SS: [key.set] } },
      });
      return take(setId(key.set), execution, now, instead, {
        expression: ', #certificate = :certificate',
        names: ['certificate'],
        values: { ':certificate': { S: certificate } },
      });
    },

    async release(certificate, execution) {
      const sets = setsOf(await read(certificateId(certificate)));
      // The certificate's last: until then a second release still finds the sets.
      for (const set of sets) await giveBack(setId(set), execution, []);
      await giveBack(certificateId(certificate), execution, ['sets']);
    },

    async assertLease(certificate, execution) {
      const item = await read(certificateId(certificate));
      if (item.lease?.S !== execution) throw leaseLost(certificate, execution, item);
    },

    saveOrder: (certificate, order, values) =>
      updateLeased(certificate, order.execution, {
        expression: `SET #order = :order${values.length > 0 ? ' ADD #leftovers :leftovers' : ''}`,
        names: ['order', ...(values.length > 0 ? ['leftovers'] : [])],
        values: { ':order': toAttribute(order), ...(values.length > 0 ? { ':leftovers': leftoverSet(values) } : {}) },
      }),

    async strikeLeftovers(certificate, values) {
      if (values.length === 0) return;
      await update(certificateId(certificate), {
        expression: 'DELETE #leftovers :leftovers',
        // Nothing to strike in an item that is not there, and none shall be made.
        condition: 'attribute_exists(#leftovers)',
        names: ['leftovers'],
        values: { ':leftovers': leftoverSet(values) },
      });
    },

    async recordRevocation(certificate, versionId) {
      await update(certificateId(certificate), {
        expression: 'SET #revokedVersion = :versionId',
        // A table that was lost is rebuilt by the run that replaces it, and no half item shall stand in its way.
        condition: 'attribute_exists(#id)',
        names: ['revokedVersion', 'id'],
        values: { ':versionId': { S: versionId } },
      });
    },

    recordCurrent: (certificate, execution, current) =>
      updateLeased(certificate, execution, {
        expression: 'SET #current = :current',
        names: ['current'],
        values: { ':current': toAttribute(current) },
      }),

    recordDelivery: (certificate, execution, region, delivery) =>
      updateLeased(certificate, execution, {
        expression: `SET #deliveries.${placeholder(region)} = :delivery`,
        names: ['deliveries', region],
        values: { ':delivery': toAttribute(delivery) },
      }),

    dropOrder: (certificate, execution, orderUrl) =>
      updateLeased(certificate, execution, {
        expression: 'REMOVE #order',
        // Another order saved meanwhile, or none: there is nothing to drop.
        condition: '#order.#url = :url',
        names: ['order', 'url'],
        values: { ':url': { S: orderUrl } },
      }),

    async saveRenewalInfo(certificate, renewalInfo) {
      // Refused: another certificate is current by now, and this says nothing about it.
      await update(certificateId(certificate), {
        expression: 'SET #renewalInfo = :renewalInfo',
        condition: '#current.#certificateId = :certificateId',
        names: ['renewalInfo', 'current', 'certificateId'],
        values: { ':renewalInfo': toAttribute(renewalInfo), ':certificateId': { S: renewalInfo.certificateId } },
      });
    },

    async recordServed(certificate, served) {
      // Refused: another version is current by now, and this says nothing about it.
      await update(certificateId(certificate), {
        expression: 'SET #served = :served',
        condition: '#current.#versionId = :versionId',
        names: ['served', 'current', 'versionId'],
        values: { ':served': toAttribute(served), ':versionId': { S: served.versionId } },
      });
    },

    recordAccess: (certificate, execution, access) =>
      updateLeased(certificate, execution, {
        expression: 'SET #access = :access',
        names: ['access'],
        values: { ':access': { S: access } },
      }),

    async account(directoryUrl) {
      return fromAttribute((await read(accountId(directoryUrl))).account) as IssuerAccount | null;
    },

    async recordAccount(directoryUrl, account) {
      await update(accountId(directoryUrl), {
        expression: 'SET #account = :account',
        names: ['account'],
        values: { ':account': toAttribute(account) },
      });
    },

    recordSuccess: (certificate, execution) =>
      updateLeased(certificate, execution, {
        expression: 'REMOVE #order, #failure, #failures, #issuerFailures, #notBefore',
        names: ['order', 'failure', 'failures', 'issuerFailures', 'notBefore'],
      }),

    recordFailure: (certificate, execution, failure, { notBefore, issuersFault }) =>
      // The counts stand beside the failure: they are raised in the same write that replaces the failure whole.
      updateLeased(certificate, execution, {
        expression:
          'SET #failure = :failure, #failures = if_not_exists(#failures, :zero) + :one' +
          ', #issuerFailures = if_not_exists(#issuerFailures, :zero) + :issuersFault' +
          (notBefore === null ? ' REMOVE #notBefore' : ', #notBefore = :notBefore'),
        // A repeated write after a lost reply counts once: it has the same time.
        condition: '(attribute_not_exists(#failure) OR #failure.#last <> :last)',
        names: ['failure', 'failures', 'issuerFailures', 'last', 'notBefore'],
        values: {
          ':failure': toAttribute(failure),
          ':last': { S: failure.last },
          ':zero': { N: '0' },
          ':one': { N: '1' },
          ':issuersFault': { N: issuersFault ? '1' : '0' },
          ...(notBefore === null ? {} : { ':notBefore': { S: notBefore } }),
        },
      }),

    ...ledgerCounts(items),
  };
}

function holderOf(item: Item): LeaseHolder {
  return { execution: item.lease?.S ?? '', since: item.leasedAt?.S ?? '' };
}

function leaseLost(certificate: string, execution: string, item: Item): LeaseLostError {
  const holder = item.lease?.S ? `execution ${item.lease.S} does` : 'nobody does';
  return new LeaseLostError(
    `Execution ${execution} does not hold the lease of certificate ${certificate}, ${holder}: it writes nothing more about it. ` +
      'The one that holds it, or the next fleet run, carries on.',
  );
}
