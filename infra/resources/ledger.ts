import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { environment } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKeyForTable } from './key-grants.ts';

export interface LedgerProps {
  readonly encryptionKey: IKey | undefined;
  /** Whether the table stays when the stack is deleted. */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * The ledger table, which records what was ordered, stored and delivered, and which execution holds which lease.
 *
 * By default the table is retained when the stack is deleted, and protected from deletion before that. Deleting it during renewals would remove their
 * leases and the list of TXT values to clean up. It has no fixed name, so a retained table does not prevent another deployment. A new table
 * is rebuilt from the secrets and ACM.
 */
export class Ledger extends Construct {
  readonly table: Table;
  private readonly encryptionKey: IKey | undefined;

  constructor(scope: Construct, id: string, { encryptionKey, removalPolicy }: LedgerProps) {
    super(scope, id);
    this.encryptionKey = encryptionKey;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Counts of failed validations expire after a day. No other items have this attribute.
      timeToLiveAttribute: 'expires',
      removalPolicy,
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      ...(encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    });
  }

  /** Allows reading single items. */
  grantRead(grantee: WorkflowFunction): void {
    this.grantReadOf(grantee, 'dynamodb:GetItem');
  }

  /** Allows reading single items, and a batch of them. */
  grantReadInBatches(grantee: WorkflowFunction): void {
    this.grantReadOf(grantee, 'dynamodb:BatchGetItem', 'dynamodb:GetItem');
  }

  /** Allows reading all items. */
  grantScan(grantee: WorkflowFunction): void {
    this.grantReadOf(grantee, 'dynamodb:Scan');
  }

  /** Allows reading single items and a batch of them, and updating those that *Check renewal* and *Record failure* write. */
  grantCheck(grantee: WorkflowFunction): void {
    this.grantReadInBatches(grantee);
    this.grantUpdateOf(['certificate#*', 'set#*', 'account#*', 'orders#*', 'failures#*'], grantee);
  }

  /** Allows reading single items, and updating those of certificates, of sets of names and of accounts. */
  grantOrder(grantee: WorkflowFunction): void {
    this.grantUseOf(['certificate#*', 'set#*', 'account#*'], grantee);
  }

  /** Allows reading single items, and updating those of certificates and of sets of names. */
  grantCertificate(grantee: WorkflowFunction): void {
    this.grantUseOf(['certificate#*', 'set#*'], grantee);
  }

  /** Allows reading all items, and updating the items of certificates and of the fleet. */
  grantFleet(grantee: WorkflowFunction): void {
    this.grantReadOf(grantee, 'dynamodb:BatchGetItem', 'dynamodb:Scan');
    this.grantUseOf(['certificate#*', 'fleet'], grantee);
  }

  /** Allows reading all items, and updating the items that record notifications. */
  grantNotifications(grantee: WorkflowFunction): void {
    this.grantScan(grantee);
    this.grantUpdateOf(['notified#*'], grantee);
  }

  /** Allows reading single items, and updating those of certificates. */
  grantDelivery(grantee: WorkflowFunction): void {
    this.grantUseOf(['certificate#*'], grantee);
  }

  /** Allows reading single items, and updating those with these keys. */
  private grantUseOf(keys: readonly string[], grantee: WorkflowFunction): void {
    this.grantRead(grantee);
    this.grantUpdateOf(keys, grantee);
  }

  /**
   * Allows updating items with these keys. `Null` denies a request without the key.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
   */
  private grantUpdateOf(keys: readonly string[], grantee: WorkflowFunction): void {
    grantee.allow({
      actions: ['dynamodb:UpdateItem'],
      resources: [this.table.tableArn],
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    });
    grantKeyForTable(grantee, this.encryptionKey, 'write');
  }

  private grantReadOf(grantee: WorkflowFunction, ...actions: string[]): void {
    this.table.grant(grantee, ...actions);
    grantKeyForTable(grantee, this.encryptionKey, 'read');
    grantee.addEnvironment(environment.ledgerTable, this.table.tableName);
  }
}
