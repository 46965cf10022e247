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
    this.grant(grantee, ['dynamodb:GetItem'], 'read');
  }

  /** Allows reading single items, and a batch of them. */
  grantReadInBatches(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:BatchGetItem', 'dynamodb:GetItem'], 'read');
  }

  /** Allows reading all items. */
  grantScan(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:Scan'], 'read');
  }

  /** Allows reading and updating single items. */
  grantUse(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:GetItem', 'dynamodb:UpdateItem']);
  }

  /** Allows reading all items, and updating the items of certificates and of the fleet. */
  grantFleet(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:BatchGetItem', 'dynamodb:Scan'], 'read');
    this.grantUseOf(['certificate#*', 'fleet'], grantee);
  }

  /** Allows reading all items, and updating the items that record notifications. */
  grantNotifications(grantee: WorkflowFunction): void {
    this.grantScan(grantee);
    this.grantUpdateOf(['notified#*'], grantee);
  }

  /** Allows reading single items, and updating the items of certificates. */
  grantUseOfCertificates(grantee: WorkflowFunction): void {
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

  private grant(grantee: WorkflowFunction, actions: string[], use: 'read' | 'write' = 'write'): void {
    this.table.grant(grantee, ...actions);
    grantKeyForTable(grantee, this.encryptionKey, use);
    grantee.addEnvironment(environment.ledgerTable, this.table.tableName);
  }
}
