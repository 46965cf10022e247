import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { ACMClient, ListCertificatesCommand } from '@aws-sdk/client-acm';
import { ChangeResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import acme from 'acme-client';
import { afterEach, expect, test, vi } from 'vitest';
import { createHostedZone, txtValues } from '../../local/deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';
import { startExecution, waitForExecution } from '../../local/executions.ts';
import { run } from '../../local/processes.ts';
import { allow, createStack, lambdaFunction, role, stateMachine } from './stack.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function start(...options: Parameters<typeof startLocalEnvironment>): Promise<LocalEnvironment> {
  const local = await startLocalEnvironment(...options);
  ends.push(local.stop);
  return local;
}

/** Repeats an assertion until it holds. The limit is far above the time that an idle machine needs. */
const soon = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 90_000, interval: 100 });

/** Returns the command lines of the processes that work in this folder. */
const processesOf = (folder: string) =>
  execFileSync('ps', ['-eww', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder));

const answers = (port: number, host: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, host, () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** Returns whether a process runs. A process that has ended, but that its new parent has not collected yet (state Z), does not run. */
const isAlive = (pid: number) => {
  const states = execFileSync('ps', ['-ax', '-o', 'pid=,stat='], { encoding: 'utf8' }).split('\n');
  return states.some((line) => new RegExp(`^ *${pid} +[^Z ]`).test(line));
};

/** Runs a function, which stays warm afterwards. Returns the id of its process, which MiniStack started. */
async function runFunction(local: Pick<LocalEnvironment, 'clientConfig'>): Promise<number> {
  const { Machine = '' } = await createStack(local, 'Functions', {
    FunctionRole: role('lambda.amazonaws.com', allow('states:DescribeExecution')),
    MachineRole: role('states.amazonaws.com', allow('lambda:InvokeFunction')),
    // The timer keeps the process running even if its standard input closes.
    Function: lambdaFunction(
      'try',
      'FunctionRole',
      'setInterval(() => {}, 1000); exports.handler = async () => process.pid;',
    ),
    Machine: stateMachine('MachineRole', {
      Type: 'Task',
      Resource: 'arn:aws:lambda:us-east-1:000000000000:function:try',
      End: true,
    }),
  });
  return (await waitForExecution(local, await startExecution(local, Machine, {}))).output as number;
}

test('the CA issues a certificate after it has read the record from the validation view', async () => {
  const local = await start({ pebble: { alternateRoots: 1 } });
  const zone = await createHostedZone(local, 'example.test');
  const mark = local.pebble.requests().length;
  acme.axios.defaults.httpsAgent = new Agent({ ca: local.pebble.trustedRoots });
  const client = new acme.Client({
    directoryUrl: local.pebble.directoryUrl,
    accountKey: await acme.crypto.createPrivateEcdsaKey(),
  });
  await client.createAccount({ termsOfServiceAgreed: true });
  const order = await client.createOrder({ identifiers: [{ type: 'dns', value: 'example.test' }] });
  const [authorization] = await client.getAuthorizations(order);
  const challenge = authorization?.challenges.find(({ type }) => type === 'dns-01');
  if (!challenge) throw new Error('No DNS challenge was offered');
  const value = await client.getChallengeKeyAuthorization(challenge);
  const record = {
    Name: '_acme-challenge.example.test',
    Type: 'TXT' as const,
    TTL: 60,
    ResourceRecords: [{ Value: `"${value}"` }],
  };
  await new Route53Client(local.clientConfig).send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: { Changes: [{ Action: 'CREATE', ResourceRecordSet: record }] },
    }),
  );
  await client.completeChallenge(challenge);
  await client.waitForValidStatus(challenge);
  const [, csr] = await acme.crypto.createCsr({ commonName: 'example.test' });
  const chain = await client.getCertificate(await client.finalizeOrder(order, csr));

  const issuer = new X509Certificate(acme.crypto.splitPemChain(chain)[1] ?? '');
  // acme-client makes an RSA key, and the key of the CSR chooses the chain.
  const roots = acme.crypto.splitPemChain(await local.pebble.issuingRoots());
  expect(roots.filter((root) => issuer.verify(new X509Certificate(root).publicKey))).toHaveLength(1);
  expect(await local.pebble.issuingRoot(1)).not.toBe(await local.pebble.issuingRoot(0));
  expect(await txtValues(local, 'example.test')).toEqual({ '_acme-challenge.example.test': [value] });
  expect(local.dns.questions).toContainEqual(
    expect.objectContaining({ view: 'validation', protocol: 'tcp', name: '_acme-challenge.example.test', type: 'TXT' }),
  );
  expect(local.pebble.requests(mark)[0]).toEqual({ method: 'GET', path: '/dir' });
  expect(local.pebble.requests(mark)).toContainEqual({ method: 'POST', path: '/order-plz' });
});

test('the directory offers profiles, and requires an external account if keys are configured', async () => {
  const local = await start({
    pebble: { externalAccountKeys: { one: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' } },
  });
  const meta = await new Promise<{ meta: unknown }>((resolve, reject) => {
    const options = { ca: local.pebble.trustedRoots, headers: { 'user-agent': 'test' }, agent: false as const };
    get(local.pebble.directoryUrl, options, (response) => resolve(json(response) as Promise<{ meta: unknown }>)).on(
      'error',
      reject,
    );
  });
  expect(meta).toMatchObject({
    meta: {
      externalAccountRequired: true,
      profiles: { default: expect.any(String), tlsserver: expect.any(String), shortlived: expect.any(String) },
    },
  });
});

test('stop ends every process, including functions, and removes the folder', async () => {
  const local = await start();
  const pids = [...local.pids, await runFunction(local)];
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  expect(processesOf(local.folder).length).toBeGreaterThanOrEqual(4);
  await local.stop();
  expect(pids.map(isAlive)).toEqual([false, false, false]);
  expect(processesOf(local.folder)).toEqual([]);
  expect(existsSync(local.folder)).toBe(false);
});

test('a failed start shows the end of the log, and leaves neither processes nor files', async () => {
  vi.stubEnv('TMPDIR', mkdtempSync(join(tmpdir(), 'failing-start-')));
  ends.push(() => rmSync(tmpdir(), { recursive: true }), vi.unstubAllEnvs);
  const starting = startLocalEnvironment({ pebble: { externalAccountKeys: { broken: 'not base64url!' } } });
  await expect(starting).rejects.toThrow(
    /pebble[^\n]*ended while it started[^\n]*log[^\n]*\n(.*\n)*.*external account/i,
  );
  expect(readdirSync(tmpdir())).toEqual([]);
  expect(processesOf(tmpdir())).toEqual([]);
});

/** Starts `npm run local` as a child process, and returns the variables in the file that it prints. `type` types a command. */
async function runMain() {
  const root = join(import.meta.dirname, '..', '..');
  const main = join(root, 'local', 'main.ts');
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), [main], { stdio: ['pipe', 'pipe', 'pipe'] });
  ends.push(() => child.kill('SIGKILL'));
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  let file = '';
  for await (const line of createInterface({ input: child.stdout })) {
    [, file = ''] = /^source (.+)$/.exec(line) ?? [];
    if (file) break;
  }
  const lines = readFileSync(file, 'utf8').matchAll(/^export ([A-Z0-9_]+)='(.+)'$/gm);
  const exported = Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
  const type = (line: string) => child.stdin.write(`${line}\n`);
  return { child, exited, exported, folder: dirname(file), type, said: () => said };
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'npm run local ends with every process it started after %s',
  async (signal) => {
    const { child, exited, exported, folder } = await runMain();
    const aws = new URL(exported.AWS_ENDPOINT_URL ?? '');
    const directory = new URL(exported.ACME_DIRECTORY_URL ?? '');
    const credentials = {
      accessKeyId: exported.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: exported.AWS_SECRET_ACCESS_KEY ?? '',
    };
    const worker = await runFunction({
      clientConfig: { endpoint: aws.origin, region: exported.AWS_REGION ?? '', credentials },
    });
    expect(await answers(Number(directory.port), directory.hostname)).toBe(true);
    expect(existsSync(exported.ACME_ISSUING_ROOTS ?? '')).toBe(true);

    child.kill(signal);
    expect(await exited).toBe(signal === 'SIGKILL' ? null : 0);
    await soon(() => expect(processesOf(folder)).toEqual([]));
    await soon(() => expect(existsSync(folder)).toBe(false));
    expect(isAlive(worker)).toBe(false);
    expect(await answers(Number(aws.port), '127.0.0.1')).toBe(false);
    expect(await answers(Number(directory.port), directory.hostname)).toBe(false);
  },
);

test('npm run local hides records and takes a delegation away by typed commands', async () => {
  const { child, exited, exported, type, said } = await runMain();
  const resolver = new Resolver();
  const askedAt = async (address: string, name: string) => {
    resolver.setServers([address]);
    return resolver.resolveNs(name).catch((error: { code: string }) => error.code);
  };
  const [root = '', authoritative = ''] = [exported.DNS_ROOT, exported.DNS_AUTHORITATIVE];
  expect(await askedAt(authoritative, 'example.com')).not.toHaveLength(0);
  const before = await askedAt(root, 'example.com');
  type('undelegate example.com');
  await soon(() => expect(said()).toContain('no longer delegates it'));
  expect(await askedAt(root, 'example.com')).not.toEqual(before);
  type('undelegate example.net');
  await soon(() => expect(said()).toContain('Hosted zones: example.com.'));
  type('show');
  await soon(() => expect(said()).toContain('all hosted zones are delegated'));
  type('hide _acme-challenge.example.com');
  await soon(() => expect(said()).toContain('The records of _acme-challenge.example.com are hidden'));
  type('what');
  await soon(() => expect(said().match(/Commands, each/g)).toHaveLength(2));
  type('stop');
  expect(await exited).toBe(0);
  expect(child.exitCode).toBe(0);
});

test('npm run local prints a command that deploys local/certificates.ts, and both certificates are issued and imported', async () => {
  const { exported, said } = await runMain();
  await soon(() => expect(said()).toContain('Commands, each'));
  const [, command = ''] = /^npx (cdk deploy .+)$/m.exec(said()) ?? [];
  const root = join(import.meta.dirname, '..', '..');
  expect(readFileSync(join(root, 'docs', 'getting-started.md'), 'utf8')).toContain(`npx ${command}\n`);
  const tools = join(root, 'node_modules', '.bin');
  const env = { ...process.env, ...exported, PATH: `${tools}:${process.env.PATH}` };
  // Without a terminal, the CDK cannot ask for the approval.
  await run(join(tools, 'cdk'), [...command.split(' ').slice(1), '--require-approval=never'], { cwd: root, env });

  const clientConfig = {
    endpoint: exported.AWS_ENDPOINT_URL ?? '',
    region: exported.AWS_REGION ?? '',
    credentials: {
      accessKeyId: exported.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: exported.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  const regions = ['us-east-1', 'eu-central-1'];
  const imported = async () =>
    Promise.all(
      regions.map(async (region) => {
        const list = new ListCertificatesCommand({ Includes: { keyTypes: ['EC_prime256v1', 'RSA_2048'] } });
        const { CertificateSummaryList = [] } = await new ACMClient({ ...clientConfig, region }).send(list);
        return CertificateSummaryList.map(({ DomainName, KeyAlgorithm }) => `${DomainName} ${KeyAlgorithm}`);
      }),
    );
  await soon(async () =>
    expect(await imported()).toEqual([['*.example.com EC_prime256v1'], ['mail.example.com RSA_2048']]),
  );
});
