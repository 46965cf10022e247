import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { get } from '../../../cli/commands/get.ts';
import {
  CertificateSecretError,
  type CertificateSecretValue,
} from '../../../lambdas/domain/contract/certificate-secret.ts';
import type { KeyType } from '../../../lambdas/domain/contract/config.ts';
import type { ReportOutput } from '../../../lambdas/domain/contract/report.ts';
import { makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../fakes/certificates.ts';
import { createTerminal } from '../terminal.ts';

const root = join(import.meta.dirname, '..', '..', '..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-get-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let serial = 0x0a00;
async function valueWith(keyType: KeyType = 'P-256'): Promise<CertificateSecretValue> {
  serial += 1;
  const root = await makeAuthority({ name: 'Root' });
  const intermediate = await makeAuthority({ name: 'Intermediate', issuer: root });
  const privateKey = makePrivateKey(keyType);
  const certificate = await makeLeaf(intermediate, {
    privateKey,
    identifiers: ['example.com'],
    serialNumber: serial.toString(16),
  });
  const chain = pemOf(intermediate.certificate);
  const { serialNumber } = new X509Certificate(certificate);
  return {
    ...{ format: 1, certificate, chain, fullChain: certificate + chain, privateKey, identifiers: ['example.com'] },
    ...{ serialNumber, notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-04-01T00:00:00Z', issuer: 'CN=Intermediate' },
    ...{ keyType, directoryUrl: 'https://ca.test/directory', profile: null },
  };
}

const terminal = createTerminal();
const run = (value: CertificateSecretValue | Error, options: object = {}, env: Record<string, string> = {}) =>
  get(
    'www',
    { out: folder, format: 'pem', ...options },
    {
      deployments: {
        list: async () => [{ stack: 'Perennial', report: 'arn' }],
        report: async () =>
          ({
            deployment: { secretPrefix: 'certificates/' },
            certificates: [],
            unknown: [],
            next: null,
          }) as unknown as ReportOutput,
      },
      values: {
        read: async (id) => {
          expect(id).toBe('certificates/www');
          if (value instanceof Error) throw value;
          return value;
        },
      },
      terminal,
      env,
      askSecret: async () => 'asked',
    },
  );

const current = (file: string) => join(folder, 'current', file);
const openssl = (...args: readonly string[]) =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

describe('get', () => {
  test('gives the paths of the files as JSON, without their content', async () => {
    const value = await valueWith();
    terminal.lines.length = 0;
    await run(value, { format: 'nginx', json: true });
    const { serialNumber, notAfter } = value;
    const files = [current('tls.crt'), current('tls.key')];
    expect(JSON.parse(terminal.lines.join('\n'))).toEqual({ name: 'www', serialNumber, notAfter, files });
  });

  test.each([
    ['pem', ['cert.pem', 'chain.pem', 'fullchain.pem', 'privkey.pem']],
    ['nginx', ['tls.crt', 'tls.key']],
    ['haproxy', ['haproxy.pem']],
    ['nginx, haproxy', ['haproxy.pem', 'tls.crt', 'tls.key']],
  ])('writes %s as files that only the user can read', async (format, files) => {
    const value = await valueWith();
    expect(await run(value, { format })).toBe(0);
    expect(readdirSync(join(folder, 'current')).toSorted()).toEqual(files);
    for (const file of files) expect(statSync(current(file)).mode & 0o777, file).toBe(0o600);
    const all = files.map((file) => readFileSync(current(file), 'utf8')).join('');
    expect(all).toContain(value.certificate.trim());
    expect(all).toContain(value.privateKey.trim());
  });

  test.each(['P-256', 'P-384', 'RSA-2048', 'RSA-4096'] as const)(
    'writes a PKCS#12 file with a %s key that OpenSSL reads',
    async (keyType) => {
      const value = await valueWith(keyType);
      await run(value, { format: 'p12', passwordEnv: 'SECRET' }, { SECRET: 'pass word' });
      const file = current('certificate.p12');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const key = openssl('pkcs12', '-in', file, '-passin', 'pass:pass word', '-nodes', '-nocerts');
      expect(createPrivateKey(key).equals(createPrivateKey(value.privateKey))).toBe(true);
      const certificates = openssl('pkcs12', '-in', file, '-passin', 'pass:pass word', '-nokeys');
      for (const pem of [value.certificate, value.chain]) expect(certificates).toContain(pem.trim());
      expect(certificates).toContain('friendlyName: www');
      expect(() => openssl('pkcs12', '-in', file, '-passin', 'pass:wrong', '-nodes')).toThrow();
    },
  );

  test('replaces all files in one step, and keeps the folder of the previous certificate', async () => {
    const [first, second, third] = [await valueWith(), await valueWith(), await valueWith()];
    for (const value of [first, second, third]) await run(value, { format: 'nginx' });
    expect(readFileSync(current('tls.key'), 'utf8')).toBe(third.privateKey);
    const folders = readdirSync(folder).filter((name) => name !== 'current');
    expect(folders.map((name) => name.split('.')[0]).toSorted()).toEqual(
      [second.serialNumber, third.serialNumber].toSorted(),
    );
  });

  test('keeps the files of the operator', async () => {
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    mkdirSync(join(folder, 'mine'));
    await run(await valueWith());
    await run(await valueWith());
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['mine', 'mine.txt']));
  });

  test.each(['made/', './made', 'made//deep/../deep', '.', '../made'])('writes into the folder %s', async (out) => {
    const directory = process.cwd();
    mkdirSync(join(folder, 'here'));
    process.chdir(join(folder, 'here'));
    try {
      const value = await valueWith();
      for (let times = 0; times < 3; times += 1) await run(value, { out, format: 'nginx' });
      expect(readFileSync(join(out, 'current', 'tls.key'), 'utf8')).toBe(value.privateKey);
      expect(readdirSync(out)).toHaveLength(3);
    } finally {
      process.chdir(directory);
    }
  });

  test('removes the folder of a process that was killed, and keeps the one that another process writes', async () => {
    const [killed, writing] = ['0a.abcdef', '0b.abcdef'].map((name) => join(folder, name)) as [string, string];
    for (const path of [killed, writing]) {
      mkdirSync(path);
      symlinkSync('x', join(path, '.link'));
      writeFileSync(join(path, 'tls.key'), 'key', { mode: 0o600 });
    }
    const now = statSync(killed).mtimeMs / 1000;
    utimesSync(killed, now, now - 3600);
    await run(await valueWith());
    expect(existsSync(killed)).toBe(false);
    expect(existsSync(writing)).toBe(true);
  });

  test('has the files of one certificate in a folder that several processes write', async () => {
    const values = [await valueWith(), await valueWith(), await valueWith()];
    const program = `
      const { replaceFiles } = await import(${JSON.stringify(join(root, 'cli', 'certificate-files.ts'))});
      const files = { key: process.argv[1], certificate: process.argv[1] };
      for (let times = 0; times < 100; times += 1) replaceFiles(${JSON.stringify(folder)}, process.argv[1], files);`;
    const ran = values.map(({ serialNumber }) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, serialNumber]),
    );
    await Promise.all(ran);
    expect(readFileSync(current('key'), 'utf8')).toBe(readFileSync(current('certificate'), 'utf8'));
    expect(readdirSync(folder).every((name) => name === 'current' || /^\w+\.\w{6}$/.test(name))).toBe(true);
  });

  test('leaves no key if it cannot finish', async () => {
    const value = { ...(await valueWith()), privateKey: undefined as unknown as string };
    await expect(run(value, { format: 'nginx' })).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('reads the password from a file that an editor of Windows wrote', async () => {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, '\ufefffrom Windows\r\n');
    await run(await valueWith(), { format: 'p12', passwordFile });
    expect(openssl('pkcs12', '-in', current('certificate.p12'), '-passin', 'pass:from Windows', '-nokeys')).toContain(
      'BEGIN CERTIFICATE',
    );
  });

  test('reads the password from the first line of a file, or asks for it', async () => {
    const value = await valueWith();
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'from file\nsecond line');
    chmodSync(passwordFile, 0o600);
    for (const [options, password] of [
      [{ passwordFile }, 'from file'],
      [{}, 'asked'],
    ] as const) {
      await run(value, { format: 'p12', ...options });
      expect(openssl('pkcs12', '-in', current('certificate.p12'), '-passin', `pass:${password}`, '-nokeys')).toContain(
        'BEGIN CERTIFICATE',
      );
    }
  });
});

describe('get rejects', () => {
  test.each([
    ['an unknown format', { format: 'pem,jks' }, 'The format jks is not known. Give some of pem, nginx, haproxy, p12.'],
    ['an empty password', { format: 'p12', passwordEnv: 'NONE' }, 'The password of the PKCS#12 file is empty.'],
    ['a password that Java cannot use', { format: 'p12', passwordEnv: 'UMLAUT' }, 'has characters outside ASCII'],
    [
      'a password file that is not there',
      { format: 'p12', passwordFile: '/dev/null/password' },
      'The file with the password cannot be read.',
    ],
  ])('%s, and writes nothing', async (_, options, message) => {
    await expect(run(await valueWith(), options, { UMLAUT: 'pässwort' })).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(['file', 'file/below', '', '/dev/null/made'])('the folder "%s", which cannot be made', async (out) => {
    writeFileSync(join(folder, 'file'), '');
    const path = out.startsWith('file') ? join(folder, out) : out;
    await expect(run(await valueWith(), { out: path })).rejects.toMatchObject({
      message: expect.stringMatching(/^(\/|An empty).* cannot be written\. .*\. Give another path/),
      exitCode: 2,
    });
  });

  test('a folder in which something else has the name of its link', async () => {
    mkdirSync(join(folder, 'current'));
    await expect(run(await valueWith())).rejects.toThrow(/current is not a link that this command made/);
    expect(readdirSync(folder)).toEqual(['current']);
  });

  test('a certificate that was not issued yet', async () => {
    const empty = new CertificateSecretError('empty', 'The secret has no certificate yet (format 0).');
    await expect(run(empty)).rejects.toMatchObject({ message: empty.message, exitCode: 3 });
  });
});
