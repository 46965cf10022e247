import { describe } from 'vitest';
import { ledgerBehaviour } from '../lambdas/adapters/aws/dynamodb/ledger-behaviour.ts';
import { FakeLedger } from './ledger.ts';

describe('the ledger in memory', () => {
  const ledger = new FakeLedger();
  ledgerBehaviour(() => ledger);
});
