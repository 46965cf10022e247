import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { App, DefaultStackSynthesizer, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { DefinitionBody, Pass, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { CertificateRenewal } from 'cdk-perennial';
import { parseCertificateSecret } from 'cdk-perennial/secret';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEvent } from '../../lambdas/domain/contract/events.ts';
import type { EndedExecution } from '../../local/executions.ts';
import { install } from '../../local/install.ts';
import { freePort } from '../../local/processes.ts';
import { applyStack } from '../../local/stacks.ts';
import { jq, standIn } from '../examples/stand-ins.ts';
import { newReader } from '../local/reader.ts';
import { type Deployed, deployed } from './deployed.ts';
import { eventually } from './observed.ts';

const root = join(import.meta.dirname, '..', '..');
const encryptionKey = 'arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

let d: Deployed;
/** Credentials of the role with `grantRead`, and of a role in another account that is a reader in the config. */
let role: Credentials;
let reader: Credentials;
let folder: string;
let issuingRoot: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-reading-'));
  d = await deployed(
    async (local) => {
      const { arn, credentials } = await newReader(local, 'reader');
      reader = credentials;
      return {
        encryptionKey,
        zones: ['example.com'],
        certificates: [
          {
            name: 'www',
            identifiers: ['example.com', '*.example.com'],
            readers: [arn],
            replicas: ['eu-west-1'],
            ignoreIssueCap: true, // The tests renew it more than twice.
          },
          { name: 'mail', identifiers: ['mail.example.com'] },
        ],
      };
    },
    { pebble: { chaos: { validationSleep: false } } },
  );
  role = await deployReader();
  issuingRoot = join(folder, 'root.pem');
  writeFileSync(issuingRoot, await d.local.pebble.issuingRoot());
});
afterAll(async () => {
  await d?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Deploys the stack of a consumer. It has a role that reads the certificate, and a workflow that `onRenewed` starts. */
async function deployReader(): Promise<Credentials> {
  const stack = new Stack(new App(), 'Reader', {
    env: { account: d.local.aws.accountId, region: d.local.aws.region },
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
  });
  const certificates = CertificateRenewal.fromPrefix(stack, 'Certificates');
  const reader = new Role(stack, 'Role', { roleName: 'reader', assumedBy: new AccountPrincipal(stack.account) });
  certificates.grantRead('www', reader);
  const notified = new StateMachine(stack, 'Notified', {
    stateMachineName: 'notified',
    definitionBody: DefinitionBody.fromChainable(new Pass(stack, 'Receive event')),
  });
  certificates.onRenewed('Renewed', { certificate: 'www', target: new SfnStateMachine(notified) });
  await applyStack(d.local, 'Reader', { TemplateBody: JSON.stringify(Template.fromStack(stack).toJSON()) });
  const RoleArn = `arn:aws:iam::${d.local.aws.accountId}:role/reader`;
  const sts = new STSClient(d.local.clientConfig);
  const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }));
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
}

const clientOf = (credentials: Credentials, region = 'us-east-1') =>
  new SecretsManagerClient({ ...d.local.clientConfig, region, credentials });

/** Returns the complete ARN of a secret, by which another account names it. */
async function arnOf(name: string, region = 'us-east-1'): Promise<string> {
  const command = new DescribeSecretCommand({ SecretId: `certificates/${name}` });
  const { ARN = '' } = await new SecretsManagerClient(d.local.clientConfig).send(command);
  return ARN.replace('us-east-1', region);
}

/** Reads a secret. Returns the serial number of the certificate in it, or the name of the error. */
async function readSerial(
  by: SecretsManagerClient,
  { id = 'certificates/www', ...what }: { id?: string; VersionStage?: string; VersionId?: string } = {},
): Promise<string> {
  try {
    const { SecretString } = await by.send(new GetSecretValueCommand({ SecretId: id, ...what }));
    return (JSON.parse(SecretString ?? '{}') as { serialNumber?: string }).serialNumber ?? 'no certificate';
  } catch (error) {
    return (error as Error).name;
  }
}

/** Returns the environment variables for a program of a reader, with the credentials of the reader only. */
const environment = (credentials: Credentials) => ({
  PATH: [process.env.PATH, join(folder, 'stand-ins')].join(delimiter),
  HOME: folder,
  AWS_ENDPOINT_URL: d.local.aws.endpoint,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
});

/** Returns the code block in this language from the chapter "Reading a certificate" of docs/delivery.md. */
function snippet(language: string): string {
  const [, chapter = ''] = readFileSync(join(root, 'docs', 'delivery.md'), 'utf8').split(/^## Reading a certificate$/m);
  const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(chapter) ?? [];
  if (!code) throw new Error(`docs/delivery.md has no ${language} code in the chapter "Reading a certificate".`);
  return code;
}

const run = promisify(execFile);
const filesIn = (name: string) => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};

describe('a stored secret', () => {
  test('is valid in the schema and in the parser', async () => {
    const schema = JSON.parse(readFileSync(join(root, 'schemas', 'certificate-secret.schema.json'), 'utf8')) as object;
    const validate = new Ajv2020().compile(schema);
    for (const name of ['www', 'mail']) {
      const { SecretString = '' } = await new SecretsManagerClient(d.local.clientConfig).send(
        new GetSecretValueCommand({ SecretId: `certificates/${name}` }),
      );
      expect(validate(JSON.parse(SecretString)), JSON.stringify(validate.errors)).toBe(true);
      expect(parseCertificateSecret(SecretString)).toEqual(JSON.parse(SecretString));
    }
  });
});

describe('a role with grantRead and a reader in another account', () => {
  test('can read the current and the previous certificate, but no staged key', async () => {
    const before = (await d.secret('www')).serialNumber;
    expect(await d.renew({ certificate: 'www', force: true })).toMatchObject({ status: 'SUCCEEDED' });
    const after = (await d.secret('www')).serialNumber;
    const stages = await d.stages('www');
    const versionOf = (label: string) => Object.keys(stages).find((id) => stages[id]?.includes(label)) ?? '';
    for (const [credentials, id, other] of [
      [role, 'certificates/www', 'certificates/mail'],
      [reader, await arnOf('www'), await arnOf('mail')],
    ] as const) {
      const by = clientOf(credentials);
      expect(await readSerial(by, { id })).toBe(after);
      expect(await readSerial(by, { id, VersionStage: 'AWSCURRENT' })).toBe(after);
      expect(await readSerial(by, { id, VersionStage: 'AWSPREVIOUS' })).toBe(before);
      for (const what of [
        { id, VersionStage: 'CANDIDATE' },
        { id, VersionId: versionOf('CANDIDATE') },
        { id, VersionId: versionOf('AWSCURRENT') },
        { id: other },
      ])
        expect(await readSerial(by, what), JSON.stringify(what)).toBe('AccessDeniedException');
      // The Secrets Store CSI provider and the Secrets Manager Agent find a new version in this way.
      const { VersionIdsToStages = {} } = await by.send(new DescribeSecretCommand({ SecretId: id }));
      expect(VersionIdsToStages[versionOf('AWSCURRENT')]).toContain('AWSCURRENT');
      await expect(by.send(new DescribeSecretCommand({ SecretId: other }))).rejects.toThrow(/not authorized/);
    }
  });

  test('can read the replica in another region', async () => {
    const { serialNumber } = await d.secret('www');
    const from = async (region: string) => readSerial(clientOf(reader, region), { id: await arnOf('www', region) });
    expect(await from('eu-west-1')).toBe(serialNumber);
    expect(await from('eu-west-2')).not.toBe(serialNumber);
  });
});

test('onRenewed delivers the typed event of its certificate, and no event of another certificate', async () => {
  const sfn = new SFNClient(d.local.clientConfig);
  const stateMachineArn = `arn:aws:states:us-east-1:${d.local.aws.accountId}:stateMachine:notified`;
  const notified = async () => (await sfn.send(new ListExecutionsCommand({ stateMachineArn }))).executions ?? [];
  const eventOf = async ({ executionArn }: ExecutionListItem) => {
    const { input } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const { detailType, detail } = parseEvent(JSON.parse(input ?? ''));
    if (detailType !== 'Certificate Renewed')
      throw new Error(`Expected a renewed certificate, but found ${detailType}.`);
    return detail;
  };
  const renewals: EndedExecution[] = [];
  for (const certificate of ['mail', 'www']) renewals.push(await d.renew({ certificate, force: true }));
  expect(renewals).toMatchObject([{ status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }]);
  const { serialNumber } = await d.secret('www');
  // The event of the second renewal comes last, so the event of the first would be there too.
  const events = await eventually('The announcement', async () => {
    const found = await Promise.all((await notified()).map(eventOf));
    return found.some(({ current }) => current.serialNumber === serialNumber) ? found : undefined;
  });
  expect(new Set(events.map(({ certificate }) => certificate))).toEqual(new Set(['www']));
  expect(events.filter(({ current }) => current.serialNumber === serialNumber)).toMatchObject([
    { certificate: 'www', deliveries: [] },
  ]);
});

describe('the documented code for reading', () => {
  test('in Node.js serves a trusted certificate, and the next one without a restart', async () => {
    const path = filesIn('node');
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
    const port = await freePort();
    const code = snippet('js').replace('8443', String(port)).replace('3_600_000', '200');
    expect(code).toContain(`${port}`);
    expect(code).toContain(', 200)');
    writeFileSync(join(path, 'server.mjs'), code);
    const server = spawn(process.execPath, ['server.mjs'], { cwd: path, env: environment(role), stdio: 'inherit' });
    try {
      const { serialNumber } = await d.secret('www');
      expect(await visited(port, serialNumber)).toEqual({ body: 'hello\n', serialNumber: asTls(serialNumber) });
      expect(await d.renew({ certificate: 'www', force: true })).toMatchObject({ status: 'SUCCEEDED' });
      const next = await d.secret('www');
      expect(next.serialNumber).not.toBe(serialNumber);
      expect(await visited(port, next.serialNumber)).toMatchObject({ serialNumber: asTls(next.serialNumber) });
    } finally {
      await ended(server);
    }
  });

  test('in Python replaces key and certificate together, for their owner only, and Python serves and trusts them', async () => {
    const { python } = await install();
    const path = filesIn('python');
    // A minimal boto3 over botocore, which the local environment has.
    writeFileSync(
      join(path, 'boto3.py'),
      'import botocore.session\nclient = lambda name: botocore.session.get_session().create_client(name)\n',
    );
    writeFileSync(join(path, 'read.py'), snippet('python'));
    await run(python, ['read.py'], { cwd: path, env: environment(role) });
    const { fullChain, privateKey } = await d.secret('www');
    expect(readFileSync(join(path, 'www.pem'), 'utf8')).toBe(privateKey + fullChain);
    expect(statSync(join(path, 'www.pem')).mode & 0o077).toBe(0);
    writeFileSync(join(path, 'handshake.py'), handshake);
    const { stdout } = await run(python, ['handshake.py', issuingRoot, 'shop.example.com'], { cwd: path });
    expect(stdout.trim()).toBe('*.example.com example.com');
    await expect(run(python, ['handshake.py', issuingRoot, 'example.net'], { cwd: path })).rejects.toThrow(
      /Hostname mismatch/,
    );
  });

  test('in the shell replaces key and chain together, openssl verifies the chain up to the root, and the key matches', async () => {
    writeStandIns();
    const path = filesIn('shell');
    const { stderr, status } = spawnSync('sh', ['-ec', snippet('sh')], { cwd: path, env: environment(role) });
    expect([status, String(stderr)]).toEqual([0, '']);
    const openssl = async (...args: readonly string[]) => (await run('openssl', args, { cwd: path })).stdout.trim();
    const verify = ['verify', '-CAfile', issuingRoot, '-untrusted', 'www.pem', '-verify_hostname'];
    expect(await openssl(...verify, 'shop.example.com', 'www.pem')).toBe('www.pem: OK');
    await expect(openssl(...verify, 'example.net', 'www.pem')).rejects.toThrow();
    expect(await openssl('x509', '-in', 'www.pem', '-noout', '-checkhost', 'example.com')).toContain('does match');
    expect(await openssl('pkey', '-in', 'www.pem', '-pubout')).toBe(
      await openssl('x509', '-in', 'www.pem', '-noout', '-pubkey'),
    );
    expect(statSync(join(path, 'www.pem')).mode & 0o077).toBe(0);
    expect(readdirSync(path)).toEqual(['www.pem']);
  });
});

test('the EC2 example writes the files if its role can read the secret, and ends with the error of AWS otherwise', async () => {
  writeStandIns();
  const path = filesIn('ec2');
  const script = join(root, 'examples', 'ec2-systemd', 'perennial-certificate');
  const renew = (name: string) =>
    spawnSync(script, [`certificates/${name}`, join(path, name), 'true'], { env: environment(role), encoding: 'utf8' });
  const { serialNumber, fullChain, privateKey } = await d.secret('www');
  expect(renew('www')).toMatchObject({ status: 0, stdout: expect.stringContaining(`now ${serialNumber}`) });
  expect(readFileSync(join(path, 'www', 'current', 'tls.crt'), 'utf8')).toBe(fullChain);
  expect(readFileSync(join(path, 'www', 'current', 'tls.key'), 'utf8')).toBe(privateKey);
  expect(renew('www')).toMatchObject({ status: 0, stdout: '' });
  const refused = renew('mail');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('AccessDenied');
});

test('the JMESPath expressions of the EKS example select chain and key of a stored secret', async () => {
  const { python } = await install();
  const manifest = readFileSync(join(root, 'examples', 'eks-secrets-store', 'secret-provider-class.yaml'), 'utf8');
  const paths = [...manifest.matchAll(/path: (\S+)/g)].map(([, path = '']) => path);
  const command = new GetSecretValueCommand({ SecretId: 'certificates/www' });
  const { SecretString = '' } = await clientOf(role).send(command);
  // The local environment has the jmespath of botocore.
  const search =
    'import jmespath, json, sys; secret = json.load(sys.stdin); print(json.dumps([jmespath.search(p, secret) for p in sys.argv[1:]]))';
  const { stdout } = spawnSync(python, ['-c', search, ...paths], { input: SecretString, encoding: 'utf8' });
  const { fullChain, privateKey } = await d.secret('www');
  expect(JSON.parse(stdout)).toEqual([fullChain, privateKey]);
});

/** Returns the value of `--query` of the first command with this text in docs/operations.md. */
function documentedQuery(command: string): string {
  const text = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  const [, , query] = /--query (['"])(.*?)\1$/m.exec(text.slice(text.indexOf(command))) ?? [];
  if (!query) throw new Error(`docs/operations.md has no --query after "${command}".`);
  return query;
}

/** Applies a query as the AWS CLI does, with the jmespath of the local environment. */
async function queried(query: string, reply: object): Promise<unknown> {
  const { python } = await install();
  const code = 'import jmespath, json, sys; print(json.dumps(jmespath.search(sys.argv[1], json.load(sys.stdin))))';
  const { stdout } = spawnSync(python, ['-c', code, query], { input: JSON.stringify(reply), encoding: 'utf8' });
  return JSON.parse(stdout);
}

test('the documented command shows every certificate with its expiry and renewal time', async () => {
  const client = new DynamoDBClient(d.local.clientConfig);
  const reply = await client.send(new ScanCommand({ TableName: d.outputs.LedgerTable }));
  const items = (reply.Items ?? []).filter(({ id }) => id?.S?.startsWith('certificate#'));
  const { notBefore, notAfter } = await d.secret('www');
  const rows = (await queried(documentedQuery('aws dynamodb scan'), { Items: items })) as {
    name: string;
    renewal: string;
  }[];
  const [www] = rows.filter(({ name }) => name === 'certificate#www');
  expect(www).toMatchObject({ expires: notAfter, error: null, notBefore: null });
  expect(Date.parse(www?.renewal ?? '')).toBeGreaterThan(Date.parse(notBefore));
  expect(Date.parse(www?.renewal ?? '')).toBeLessThan(Date.parse(notAfter));
  expect(rows).toHaveLength(2);
});

test('the documented command shows why an execution waits for its next attempt', async () => {
  const event = (name: string, output: string) => ({ stateExitedEventDetails: { name, output } });
  const events = [event('Wait', '1'), event('Record failure', 'later'), event('Record failure', 'earlier')];
  expect(await queried(documentedQuery('get-execution-history'), { events })).toBe('later');
});

test('a reader that is removed from the config loses access, without a new certificate or an event', async () => {
  const { serialNumber } = await d.secret('www');
  const renewedEvents = async () =>
    (await d.local.aws.busEvents()).filter(({ detailType }) => detailType === 'Certificate Renewed');
  const before = (await renewedEvents()).length;
  expect(before).toBeGreaterThan(0);
  await d.redeploy({
    encryptionKey,
    zones: ['example.com'],
    certificates: [
      { name: 'www', identifiers: ['example.com', '*.example.com'], ignoreIssueCap: true },
      { name: 'mail', identifiers: ['mail.example.com'] },
    ],
  });
  expect(await readSerial(clientOf(reader), { id: await arnOf('www') })).toBe('AccessDeniedException');
  expect(await readSerial(clientOf(role))).toBe(serialNumber);
  const replica = new SecretsManagerClient({ ...d.local.clientConfig, region: 'eu-west-1' });
  expect(await readSerial(replica)).toBe('ResourceNotFoundException');
  expect(await renewedEvents()).toHaveLength(before);
});

/** Writes replacements for `jq` and the AWS CLI. They are last in PATH, for machines without these programs. */
function writeStandIns(): void {
  standIn(join(folder, 'stand-ins'), 'jq', jq);
  const sdk = import.meta.resolve('@aws-sdk/client-secrets-manager');
  standIn(
    join(folder, 'stand-ins'),
    'aws',
    `#!${process.execPath}
const id = process.argv[process.argv.indexOf('--secret-id') + 1];
import(${JSON.stringify(sdk)}).then(async ({ GetSecretValueCommand, SecretsManagerClient }) => {
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: id }));
  process.stdout.write(SecretString + '\\n');
}).catch((error) => { console.error(String(error)); process.exit(254); });
`,
  );
}

/** Python script for a TLS handshake in memory. The server uses the files, the client trusts the root, and the script prints the names. */
const handshake = `import ssl, sys
root, name = sys.argv[1:]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("www.pem")
client = ssl.create_default_context(cafile=root)
a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
sides = [client.wrap_bio(a, b, server_hostname=name), server.wrap_bio(b, a, server_side=True)]
for _ in range(6):
    for side in sides:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
print(*sorted(value for _, value in sides[0].getpeercert()["subjectAltName"]))
`;

/** Returns a serial number as Node.js shows it, in upper case and without leading zeros. */
const asTls = (serialNumber: string) => serialNumber.toUpperCase().replace(/^0+/, '');

/** Sends requests until the server presents this certificate. */
const visited = (port: number, serialNumber: string) =>
  eventually(`A server with the certificate ${serialNumber}`, async () => {
    const seen = await visit(port).catch(() => undefined);
    return seen?.serialNumber === asTls(serialNumber) ? seen : undefined;
  });

function visit(port: number): Promise<{ readonly body: string; readonly serialNumber: string }> {
  const ca = readFileSync(issuingRoot, 'utf8');
  return new Promise((resolve, reject) => {
    // Each request has a new connection, and the client verifies the name.
    const request = get({ host: '127.0.0.1', port, servername: 'shop.example.com', ca, agent: false }, (response) => {
      const { raw } = (response.socket as TLSSocket).getPeerCertificate();
      const serialNumber = asTls(new X509Certificate(raw).serialNumber);
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ body, serialNumber }));
    });
    request.on('error', reject);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
  });
}
