import { regionOption } from '../domain/contract/secret-commands.ts';
import type { RegistrationOutput } from '../domain/contract/steps.ts';
import type { ExecutionEnd } from '../domain/ports/state-machines.ts';

/** Largest attribute in bytes of JSON. CloudFormation accepts a reply of 4,096 bytes, so 1 KB is left for the names and ids in it. */
const maximumBytes = 3072;

/**
 * Returns the CAA records in the output of a registration of accounts. There is one line for each record, to be put behind
 * `example.com. 300 IN CAA `. Without records, a sentence says where they will be. `end` is `null` if the registration has not ended.
 */
export function caaAttribute(accounts: string, execution: string, end: ExecutionEnd | null | 'not started'): string {
  const showRecords = `aws stepfunctions describe-execution --execution-arn ${execution}${regionOption(execution)} --query output --output text`;
  const register = `aws stepfunctions start-execution --state-machine-arn ${accounts}${regionOption(accounts)} --input '{"action":"register"}'`;
  if (end === 'not started') {
    return `Unknown, because the accounts were not registered. The output of the execution that this command starts has the records: ${register}`;
  }
  if (end === null) {
    return `Unknown yet, because the accounts are still being registered. This command shows the records: ${showRecords}`;
  }
  if (end.status !== 'SUCCEEDED') {
    const why = end.error === undefined ? end.status : `${end.status}, ${end.error.slice(0, 100)}`;
    return `Unknown, because the registration of accounts ended with ${why}. Fix the cause. Then the output of the execution that this command starts has the records: ${register}`;
  }
  const { caa = [] } = (end.output ?? {}) as Partial<RegistrationOutput>;
  if (caa.length === 0) return 'None, because no issuer lists CAA identities in its directory.';
  return cut(caa, (left) => `This command shows ${left} more: ${showRecords}`);
}

/** Returns as many lines as fit, and a line about the rest. */
function cut(lines: readonly string[], rest: (left: number) => string): string {
  for (let shown = lines.length; ; shown--) {
    const left = lines.length - shown;
    const text = [...lines.slice(0, shown), ...(left > 0 ? [rest(left)] : [])].join('\n');
    if (shown === 0 || Buffer.byteLength(JSON.stringify(text)) <= maximumBytes) return text;
  }
}
