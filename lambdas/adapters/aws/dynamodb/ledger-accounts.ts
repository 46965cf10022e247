import type { IssuerAccount, RecordedAccount } from '../../../domain/contract/certificate-facts.ts';
import { fromAttribute, toAttribute } from './attribute-values.ts';
import { accountId } from './ledger-item.ts';
import { type LedgerTable, readItem, updateItem } from './ledger-table.ts';

export async function account(table: LedgerTable, directoryUrl: string): Promise<RecordedAccount | null> {
  return fromAttribute((await readItem(table, accountId(directoryUrl))).account) as RecordedAccount | null;
}

export async function accountKeys(table: LedgerTable, directoryUrl: string): Promise<readonly string[]> {
  return (await readItem(table, accountId(directoryUrl))).accountKeys?.SS ?? [];
}

export async function recordAccount(
  table: LedgerTable,
  directoryUrl: string,
  account: IssuerAccount,
  now: Date,
): Promise<void> {
  const recorded: RecordedAccount = { ...account, readAt: now.toISOString() };
  await updateItem(table, accountId(directoryUrl), {
    expression: 'SET #account = :account',
    values: { ':account': toAttribute(recorded) },
  });
}

export async function recordAccountKey(table: LedgerTable, directoryUrl: string, fingerprint: string): Promise<void> {
  await updateItem(table, accountId(directoryUrl), {
    expression: 'ADD #accountKeys :key',
    values: { ':key': { SS: [fingerprint] } },
  });
}

export async function markAccountStale(table: LedgerTable, directoryUrl: string): Promise<void> {
  await updateItem(table, accountId(directoryUrl), {
    expression: 'SET #account.#readAt = :never',
    // If the condition is not met, there is no account at this directory.
    condition: 'attribute_exists(#account)',
    values: { ':never': toAttribute(null) },
  });
}
