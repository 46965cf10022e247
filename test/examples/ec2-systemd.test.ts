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
  // Answers as the CLI does with --output text; without a value it is refused.
  standIn(
    join(folder, 'first'),
    'aws',
    `#!/bin/sh
echo "$@" >> '${folder}/asked'
[ -e '${folder}/value' ] || { echo 'An error occurred (AccessDeniedException)' >&2; exit 254; }
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

describe('the script', () => {
  test('writes certificate and key, for root only, and reloads the server', () => {
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

  test('reloads nothing when nothing has changed', () => {
    store(first);
    renew();
    const { status, stdout } = renew();
    expect([status, stdout]).toEqual([0, '']);
    expect(reloads()).toBe(1);
  });

  test('moves on to the next certificate and keeps the one before', () => {
    for (const value of [first, second, third]) {
      store(value);
      expect(renew().status).toBe(0);
      expect(served()).toEqual([value.fullChain, value.privateKey]);
    }
    expect(reloads()).toBe(3);
    expect(versions()).toEqual(['0a02', '0a03']);
  });

  test('goes back when the secret does', () => {
    for (const value of [first, second, first]) {
      store(value);
      expect(renew().status).toBe(0);
    }
    expect(served()).toEqual([first.fullChain, first.privateKey]);
    expect(reloads()).toBe(3);
  });

  test('tries a reload that failed again', () => {
    store(first);
    writeFileSync(join(folder, 'broken'), '');
    expect(renew().status).toBe(3);
    rmSync(join(folder, 'broken'));
    expect(renew().status).toBe(0);
    expect(reloads()).toBe(1);
  });

  test('says 75 while there is no certificate, and touches nothing', () => {
    store({ format: 0, status: 'No certificate has been issued yet.' });
    const { status, stderr } = renew();
    expect([status, stderr]).toEqual([75, 'certificates/www holds no certificate yet\n']);
    expect(existsSync(target())).toBe(false);
  });

  test.each([
    ['another format', { format: 2 }],
    ['no format', { password: 'hunter2' }],
    ['no key', { format: 1, serialNumber: '0a09', fullChain: 'x' }],
  ])('leaves what is served alone when the secret has %s', (_, value) => {
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

  test('ends with the error of the CLI when it may not read', () => {
    const { status, stderr } = renew();
    expect(status).toBe(254);
    expect(stderr).toContain('AccessDeniedException');
  });

  test('says how it is called', () => {
    const { status, stderr } = run('certificates/www');
    expect([status, stderr]).toEqual([64, 'usage: perennial-certificate SECRET_ID FOLDER RELOAD...\n']);
  });
});

test('the unit runs the script for the certificate that it is named after, every six hours, and takes 75 for no failure', () => {
  const read = (name: string) => readFileSync(join(example, name), 'utf8');
  const service = read('perennial-certificate@.service');
  expect(service).toContain('ExecStart=/usr/local/bin/perennial-certificate certificates/%i /etc/perennial/%i $RELOAD');
  expect(service).toContain('SuccessExitStatus=75');
  expect(read('perennial-certificate@.timer')).toContain('OnUnitActiveSec=6h');
});
