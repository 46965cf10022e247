import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CertificateSecretValue } from '../../lambdas/domain/contract/certificate-secret.ts';
import { secretValue } from '../fakes/certificate-authority.ts';
import { jq, standIn } from './stand-ins.ts';

const example = join(import.meta.dirname, '..', '..', 'examples', 'ec2-systemd');

let first: CertificateSecretValue;
let second: CertificateSecretValue;
let third: CertificateSecretValue;
beforeAll(async () => {
  const value = (serialNumber: string) => secretValue({ identifiers: ['example.com'], serialNumber });
  [first, second, third] = [await value('0a01'), await value('0a02'), await value('0a03')];
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-systemd-'));
  // Answers as the AWS CLI does with --output text. Without a stored value, access is denied.
  standIn(
    join(folder, 'first'),
    'aws',
    `#!/bin/sh
echo "$@" >> '${folder}/asked'
[ ! -e '${folder}/error' ] || { cat '${folder}/error' >&2; exit 254; }
[ -e '${folder}/value' ] || { echo 'An error occurred (AccessDeniedException)' >&2; exit 254; }
[ ! -e '${folder}/warning' ] || cat '${folder}/warning' >&2
cat '${folder}/value'; echo
`,
  );
  standIn(
    join(folder, 'first'),
    'reload',
    `#!/bin/sh\n[ ! -e '${folder}/broken' ] || exit 3\necho x >> '${folder}/reloads'\n`,
  );
  standIn(join(folder, 'last'), 'jq', jq);
});
afterEach(() => rmSync(folder, { recursive: true }));

const target = () => join(folder, 'www');
const store = (value: object) => writeFileSync(join(folder, 'value'), JSON.stringify(value));
const run = (...args: readonly string[]) =>
  spawnSync(join(example, 'perennial-certificate'), args, {
    encoding: 'utf8',
    env: { PATH: [join(folder, 'first'), process.env.PATH, join(folder, 'last')].join(delimiter) },
  });
const renew = () => run('certificates/www', target(), 'reload', 'now');
const reloads = () =>
  existsSync(join(folder, 'reloads')) ? readFileSync(join(folder, 'reloads'), 'utf8').length / 2 : 0;
const served = () => ['tls.crt', 'tls.key'].map((name) => readFileSync(join(target(), 'current', name), 'utf8'));
const versions = () =>
  readdirSync(target())
    .filter((name) => /^[0-9a-f]+$/.test(name))
    .toSorted();

describe('the systemd script', () => {
  test('writes certificate and key for their owner only, and reloads the server', () => {
    store(first);
    const { status, stdout, stderr } = renew();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`certificates/www: now 0a01, valid until ${first.notAfter}\n`);
    expect(served()).toEqual([first.fullChain, first.privateKey]);
    expect(reloads()).toBe(1);
    for (const name of ['', 'current', 'current/tls.crt', 'current/tls.key'])
      expect(statSync(join(target(), name)).mode & 0o077, name).toBe(0);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('get-secret-value --secret-id certificates/www');
  });

  test('does not reload the server when the certificate is unchanged', () => {
    store(first);
    renew();
    const { status, stdout } = renew();
    expect([status, stdout]).toEqual([0, '']);
    expect(reloads()).toBe(1);
  });

  test('installs each new certificate and keeps the previous one', () => {
    for (const value of [first, second, third]) {
      store(value);
      expect(renew().status).toBe(0);
      expect(served()).toEqual([value.fullChain, value.privateKey]);
    }
    expect(reloads()).toBe(3);
    expect(versions()).toEqual(['0a02', '0a03']);
  });

  test('installs an older certificate when the secret has it again', () => {
    for (const value of [first, second, first]) {
      store(value);
      expect(renew().status).toBe(0);
    }
    expect(served()).toEqual([first.fullChain, first.privateKey]);
    expect(reloads()).toBe(3);
  });

  test('repeats a failed reload in the next run', () => {
    store(first);
    writeFileSync(join(folder, 'broken'), '');
    expect(renew().status).toBe(3);
    rmSync(join(folder, 'broken'));
    expect(renew().status).toBe(0);
    expect(reloads()).toBe(1);
  });

  test('ends with 75 and writes nothing before the first certificate is issued', () => {
    store({ format: 0, status: 'No certificate has been issued yet.' });
    const { status, stderr } = renew();
    expect(status).toBe(75);
    expect(stderr).toMatch(/certificates\/www.*no certificate yet/);
    expect(existsSync(target())).toBe(false);
  });

  test('ends with 75 and writes nothing while the secret does not exist', () => {
    const error = `An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.`;
    writeFileSync(join(folder, 'error'), error);
    const { status, stderr } = renew();
    expect(status).toBe(75);
    expect(stderr).toMatch(/certificates\/www does not exist yet/);
    expect(existsSync(target())).toBe(false);
  });

  test('passes on a warning of the AWS CLI and writes the files', () => {
    store(first);
    writeFileSync(join(folder, 'warning'), 'A new version of the AWS CLI is available.\n');
    const { status, stderr } = renew();
    expect([status, stderr]).toEqual([0, 'A new version of the AWS CLI is available.\n']);
    expect(served()).toEqual([first.fullChain, first.privateKey]);
  });

  test.each([
    ['another format', { format: 2 }],
    ['no format', { password: 'hunter2' }],
    ['no key', { format: 1, serialNumber: '0a09', fullChain: 'x' }],
  ])('changes neither files nor server when the secret has %s', (_, value) => {
    store(first);
    renew();
    store(value);
    const { status, stderr, stdout } = renew();
    expect(status).not.toBe(0);
    expect(stdout + stderr).not.toContain('hunter2');
    expect(served()).toEqual([first.fullChain, first.privateKey]);
    expect(versions()).toEqual(['0a01']);
    expect(readdirSync(target()).filter((name) => name.startsWith('.new'))).toEqual([]);
    expect(reloads()).toBe(1);
  });

  test('ends with the error of the AWS CLI when access to the secret is denied', () => {
    const { status, stderr } = renew();
    expect(status).toBe(254);
    expect(stderr).toContain('AccessDeniedException');
  });

  test('prints its usage when arguments are missing', () => {
    const { status, stderr } = run('certificates/www');
    expect([status, stderr]).toEqual([64, 'usage: perennial-certificate SECRET_ID FOLDER RELOAD...\n']);
  });
});

test('the systemd unit runs the script every six hours for the certificate in its name, and exit code 75 is no failure', () => {
  const read = (name: string) => readFileSync(join(example, name), 'utf8');
  const service = read('perennial-certificate@.service');
  expect(service).toContain('ExecStart=/usr/local/bin/perennial-certificate certificates/%i /etc/perennial/%i $RELOAD');
  expect(service).toContain('SuccessExitStatus=75');
  expect(read('perennial-certificate@.timer')).toContain('OnUnitActiveSec=6h');
});
