import type { AccountOutput } from '../../lambdas/domain/contract/steps.ts';
import {
  type ConfirmedOptions,
  carryOut,
  confirm,
  deploymentWithIssuer,
  type RequestPorts,
} from '../account-requests.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Gives the account at a CA a new key, after a question. RFC 8555 §7.3.5 */
export async function rollover(issuer: string, options: ConfirmedOptions, ports: RequestPorts): Promise<ExitCode> {
  const deployment = await deploymentWithIssuer(issuer, options, ports);
  await confirm(
    `Change the key of the account at ${issuer}? The fleet starts no renewal meanwhile, and the request waits ten minutes for renewals in progress.`,
    options,
    ports,
  );
  const request = { action: 'rollOverKey', issuer } as const;
  const result = ({ account }: AccountOutput) => `The account ${account ?? `at ${issuer}`} has a new key.`;
  return carryOut(deployment, { request, what: `The key change at ${issuer}`, result }, options, ports);
}
