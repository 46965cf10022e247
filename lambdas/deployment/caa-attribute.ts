import type { RegistrationOutput } from '../domain/contract/account-request.ts';
import type { ExecutionEnd } from '../domain/ports/state-machines.ts';

/** Bytes of the attribute within a reply, of which CloudFormation takes 4,096: 1 KB is left for the names and the ids around it. */
const room = 3072;

/**
 * The CAA records that a registration of accounts ended with, a line each, to be put behind `example.com. 300 IN CAA `; or in a sentence
 * where they are. `null`: it has not ended yet.
 */
export function caaAttribute(accounts: string, execution: string, end: ExecutionEnd | null | 'not started'): string {
  const look = `aws stepfunctions describe-execution --execution-arn ${execution} --query output --output text`;
  const again = `aws stepfunctions start-execution --state-machine-arn ${accounts} --input '{"action":"register"}'`;
  if (end === 'not started') return `Unknown: accounts were not registered. They are in the output of: ${again}`;
  if (end === null) return `Unknown yet: accounts are being registered. They are shown by: ${look}`;
  if (end.status !== 'SUCCEEDED') {
    const why = end.error === undefined ? end.status : `${end.status}, ${end.error.slice(0, 100)}`;
    return `Unknown: the registration of accounts ended in ${why}. When that is mended, they are in the output of: ${again}`;
  }
  const { caa = [] } = (end.output ?? {}) as Partial<RegistrationOutput>;
  if (caa.length === 0) return 'None: no issuer says in its directory by which name CAA records allow it.';
  return cut(caa, (left) => `${left} more are shown by: ${look}`);
}

/** As many lines as there is room for. */
function cut(lines: readonly string[], rest: (left: number) => string): string {
  for (let shown = lines.length; ; shown--) {
    const left = lines.length - shown;
    const text = [...lines.slice(0, shown), ...(left > 0 ? [rest(left)] : [])].join('\n');
    if (shown === 0 || Buffer.byteLength(JSON.stringify(text)) <= room) return text;
  }
}
