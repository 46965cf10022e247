import { describe } from 'vitest';
import { fleetLedgerBehaviour } from '../lambdas/adapters/aws/dynamodb/fleet-ledger-behaviour.ts';
import { FakeFleetLedger } from './fleet-ledger.ts';
import { FakeLedger } from './ledger.ts';

describe('the ledger of the fleet in memory', () => {
  const ledger = new FakeLedger();
  const fleetLedger = new FakeFleetLedger(ledger);
  fleetLedgerBehaviour(() => ({ ledger, fleetLedger }));
});
