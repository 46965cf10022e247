import type { AccountOutput } from '../../lambdas/domain/contract/steps.ts';
import {
  type ConfirmedOptions,
  carryOut,
  confirm,
  deploymentWithIssuer,
  type RequestPorts,
} from '../account-requests.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Deactivates the account at a CA, after a question. RFC 8555 §7.3.6 */
export async function deactivate(issuer: string, options: ConfirmedOptions, ports: RequestPorts): Promise<ExitCode> {
  const deployment = await deploymentWithIssuer(issuer, options, ports);
  await confirm(
    `Deactivate the account at ${issuer}? This cannot be undone. Its certificates stay valid. If the configuration still has the issuer, the next order or deployment registers a new account.`,
    options,
    ports,
  );
  const request = { action: 'deactivate', issuer } as const;
  const result = ({ account }: AccountOutput) =>
    account ? `The account ${account} is deactivated.` : `There was no account at ${issuer}.`;
  return carryOut(deployment, { request, what: `The deactivation at ${issuer}`, result }, options, ports);
}
