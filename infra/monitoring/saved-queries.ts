import { type ILogGroup, QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface SavedQueriesProps {
  /** Folder of the queries in the console. */
  readonly deploymentName: string;
  readonly logGroups: readonly ILogGroup[];
  /** Name of a certificate, as an example in the queries. */
  readonly certificate: string;
}

const fields = [
  '@timestamp',
  'coalesce(step, details.name) as state',
  'message',
  'error.message',
  'certificate',
  '@log',
];

/** Saved queries of CloudWatch Logs Insights over all log groups. The operator replaces the name, the ARN or the URL in them. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { deploymentName, logGroups, certificate }: SavedQueriesProps) {
    super(scope, id);
    const execution = 'arn:aws:states:REGION:ACCOUNT:execution:NAME';
    const filters: Readonly<Record<string, string>> = {
      'By certificate': `certificate = "${certificate}"`,
      'By execution': `execution = "${execution}" or execution_arn = "${execution}"`,
      'By order': 'order = "https://ca.example/order/1"',
      // Lambda reports a timeout, or a process that ended, in its own lines only.
      Failures:
        'level = "ERROR" or type in ["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"] or record.status in ["error", "failure", "timeout"]',
      'Refusals of the CA': 'message = "failed" and ispresent(error.problem.type)',
    };
    const moreFields: Readonly<Record<string, readonly string[]>> = {
      Failures: ['error.name', 'type', 'record.status', 'record.errorType'],
      'Refusals of the CA': ['error.problem.type', 'error.problem.detail'],
    };
    for (const [name, filter] of Object.entries(filters)) {
      new QueryDefinition(this, name.replaceAll(' ', ''), {
        queryDefinitionName: `Perennial/${deploymentName}/${name}`,
        queryString: new QueryString({
          fields: [...fields, ...(moreFields[name] ?? [])],
          filterStatements: [filter],
          sort: '@timestamp desc',
          limit: 1000,
        }),
        logGroups: [...logGroups],
      });
    }
  }
}
