import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { environment } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKey } from './encryption.ts';

/**
 * The ledger: what was ordered, stored and delivered, and who is at it. Kept when the stack goes, and protected while it is
 * there: whoever deletes the table under running renewals takes their leases away, and what was left in DNS is forgotten. No
 * name of its own, so that a kept table is in nobody's way when the stack is deployed again; what it held is then rebuilt
 * from secrets and ACM.
 */
export class Ledger extends Construct {
  readonly table: Table;
  private readonly encryptionKey: IKey | undefined;

  constructor(scope: Construct, id: string, { encryptionKey }: { readonly encryptionKey?: IKey | undefined } = {}) {
    super(scope, id);
    this.encryptionKey = encryptionKey;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Counts of failed validations are of no use after a day; nothing else has the attribute.
      timeToLiveAttribute: 'expires',
      removalPolicy: RemovalPolicy.RETAIN,
      deletionProtection: true,
      ...(encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    });
  }

  /** Single items, read. */
  grantRead(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:GetItem'], 'read');
  }

  /** Single items, read and updated under a condition. */
  grantUse(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:GetItem', 'dynamodb:UpdateItem']);
  }

  /** The same, and a batch of items at once. */
  grantUseInBatches(grantee: WorkflowFunction): void {
    this.grant(grantee, ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem']);
  }

  private grant(grantee: WorkflowFunction, actions: string[], use: 'read' | 'write' = 'write'): void {
    this.table.grant(grantee, ...actions);
    grantKey(grantee, this.encryptionKey, 'dynamodb', use);
    grantee.addEnvironment(environment.ledgerTable, this.table.tableName);
  }
}
