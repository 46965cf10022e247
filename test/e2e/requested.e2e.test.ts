import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, createHostedZone } from '../../local/deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';
import { startExecution, waitForExecution } from '../../local/executions.ts';
import { deployAssembly, synthesize } from './assembly.ts';
import { eventually, reaches, scaleWaits, statesOf } from './observed.ts';
import { type RequestedCertificate, requestedStack } from './requested-stack.ts';

// A certificate that a deployment waits for.

let local: LocalEnvironment;
let requested: RequestedCertificate;
let outputs: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  local = await startLocalEnvironment({
    pebble: { chaos: { rejectNonces: false, reuseAuthorizations: false, validationSleep: false } },
  });
  await bootstrap(local);
  requested = {
    hostedZone: { id: await createHostedZone(local, 'example.com'), name: 'example.com' },
    rootServers: [local.dns.addresses.root],
    issuer: {
      directoryUrl: local.pebble.directoryUrl,
      termsOfServiceAgreed: true,
      trustedRoots: [local.pebble.trustedRoots],
    },
    identifiers: ['www.example.com', 'example.com'],
  };
  await deployIt();
});
afterAll(() => local?.stop());

async function deployIt(): Promise<void> {
  outputs = await deployAssembly(
    local,
    synthesize(local, (app, synthesizer) => requestedStack(app, requested, synthesizer)),
  );
}

async function importedNames(): Promise<readonly string[]> {
  const client = new ACMClient(local.clientConfig);
  const command = new DescribeCertificateCommand({ CertificateArn: outputs.Certificate });
  return (await client.send(command)).Certificate?.SubjectAlternativeNames?.toSorted() ?? [];
}

/** Returns the ARN of the newest renewal that a deployment started. */
async function newestOfDeployments(): Promise<string> {
  const client = new SFNClient(local.clientConfig);
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn: outputs.RenewalArn }));
  const started = executions.filter(({ name }) => name?.startsWith('www-us-east-1-'));
  const [newest] = started.toSorted((a, b) => Number(b.startDate) - Number(a.startDate));
  return newest?.executionArn ?? '';
}

test('a deployment imports other names under the same ARN, even while another renewal holds the lease', async () => {
  const { Certificate: arn, RenewalArn: renewal = '' } = outputs;
  expect(await importedNames()).toEqual(['example.com', 'www.example.com']);

  // This renewal holds the lease until the renewal of the deployment waits for it.
  const show = local.dns.hide({ view: 'authoritative', name: '_acme-challenge.www.example.com' });
  const proceed = await local.aws.holdState('Wait for propagation');
  await scaleWaits({ local }, 0.1);
  const holder = await startExecution(local, renewal, { certificate: 'www', force: true });
  await reaches({ local }, holder, 'Wait for propagation');
  const before = await newestOfDeployments();
  requested = { ...requested, identifiers: ['example.com', 'shop.example.com'] };
  const deployment = deployIt();
  const waiting = await eventually('The execution of the deployment', async () => {
    const newest = await newestOfDeployments();
    return newest === before ? undefined : newest;
  });
  await reaches({ local }, waiting, 'Wait for renewal time or lease');
  show();
  await proceed();
  await deployment;

  expect(await waitForExecution(local, holder)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await statesOf({ local }, waiting)).toEqual(
    expect.arrayContaining(['Wait for renewal time or lease', 'New order', 'Import certificate', 'Done']),
  );
  expect(outputs.Certificate).toBe(arn);
  expect(await importedNames()).toEqual(['example.com', 'shop.example.com']);
});
