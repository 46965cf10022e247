import { Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { environment } from '../lambdas/domain/contract/environment.ts';
import { certificateTimeout } from '../lambdas/domain/rules/certificate/download-time.ts';
import type { CheckedConfig } from './config/check-config.ts';
import { serializeConfig } from './config/serialize-config.ts';
import { secretArnSize } from './resources/certificate-secrets.ts';
import { challengeArnSize } from './resources/challenge-zones.ts';
import { WorkflowFunction, type WorkflowFunctionProps } from './workflows/workflow-function.ts';

/** The functions by name. */
export type RenewalFunctions = ReturnType<typeof makeFunctions>;

/**
 * Creates the functions of the workflows and the function `report` in the scope of the construct.
 *
 * *New order* gets the longest timeout of Lambda, 900 s. A CA with replies of 30 s then answers 29 requests, which is enough for an order
 * of 25 names (directory, nonce, account, order, authorizations). The timeout of the certificate function follows the slowest issuer.
 */
export function makeFunctions(
  scope: Construct,
  { deployed, tokens, trustedRoots, secretPrefix }: CheckedConfig,
  deploymentName: string,
) {
  const roots: Readonly<Record<string, string>> =
    Object.keys(trustedRoots).length > 0 ? { 'roots.json': JSON.stringify(trustedRoots) } : {};
  const make = (id: string, seconds: number, description: string, more: Partial<WorkflowFunctionProps> = {}) =>
    new WorkflowFunction(scope, id, {
      folder: id.toLowerCase(),
      timeout: Duration.seconds(seconds),
      description,
      ...more,
    });
  const slowestReply = Math.max(...deployed.issuers.map(({ replyTimeout }) => replyTimeout));
  const configFile = { 'config.json': serializeConfig(deployed).json };
  const files = { ...configFile, ...roots };
  const check = make('Check', 60, 'Decides what to do for a certificate, and records how renewals end', { files });
  // A call works at most four minutes. A selection from 100,000 certificates takes 8 s of one vCPU and 400 MB (`bench/fleet.ts`): 27 s with 512 MB,
  // 14 s with 1,024 MB and 8 s with 1,769 MB, for the same price. With 1,024 MB there is room for longer names and more regions.
  const fleet = make('Fleet', 900, 'Finds out which certificates of the whole fleet are due', {
    files,
    memory: 1024,
  });
  const report = make('Report', 60, 'Answers the command line with the state of certificates', { files: configFile });
  fleet.addEnvironment(environment.metricsDeployment, deploymentName);
  for (const each of [check, fleet, report])
    each.addEnvironment(environment.configTokens, Stack.of(scope).toJsonString(tokens));
  return {
    fleet,
    check,
    report,
    order: make('Order', 900, 'Registers accounts, and creates and polls orders at the CA', { files: roots }),
    challenge: make('Challenge', 60, 'Writes TXT records, and checks DNS', {
      arnSize: challengeArnSize(deployed.hostedZones),
    }),
    certificate: make(
      'Certificate',
      certificateTimeout(slowestReply),
      'Creates keys and CSRs, and stores certificates',
      {
        files: roots,
        arnSize: secretArnSize(secretPrefix),
      },
    ),
    delivery: make('Delivery', 60, 'Imports certificates into ACM'),
  };
}
