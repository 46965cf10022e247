import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { letsEncryptStaging } from '../../infra/config/issuers.ts';
import type { PerennialConfig } from '../../infra/config/perennial-config.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the demo in its own process group. Its temporary files are in `folder`. `onOutput` gets standard error so far while the demo runs. */
async function demo(args: string[], onOutput: (text: string, group: number) => void = () => {}): Promise<Ended> {
  // The demo runs as a user runs it, with the validation rules that other tests leave out.
  const { CDK_VALIDATION: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--conditions=perennial-source', join(ROOT, 'local', 'demo.ts'), ...args], {
    cwd: ROOT,
    env: { ...env, TMPDIR: folder },
    detached: true,
  });
  let written = '';
  child.stderr.on('data', (chunk) => {
    written += String(chunk);
    onOutput(written, child.pid ?? 0);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

function configFile(config: PerennialConfig): string {
  const file = join(folder, 'certificates.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config)};`);
  return file;
}

const zones = {
  issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
};

/** Returns the processes and folders of the local environment that still exist. Its processes have the folder in their command lines. */
async function remainingParts(): Promise<string[]> {
  const find = () => [
    ...execFileSync('ps', ['-eww', '-o', 'args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(folder)),
    ...readdirSync(folder).filter((name) => /^perennial-\w{6}$/.test(name)),
  ];
  // The last process may end shortly after the demo.
  for (let tries = 0; tries < 600 && find().length > 0; tries++) await sleep(100);
  return find();
}

test('the demo issues the certificates of certificates.ts, checks them, and leaves no process running', async () => {
  const { code, stdout, stderr } = await demo(['--json']);

  expect(stderr).toMatch(/^ {2}www +\d+\.\d s {2}Present challenges$/m);
  expect(stderr).toMatch(/^mail {2}issued in/m);
  const facts = JSON.parse(stdout);
  expect(facts.error).toBeUndefined();
  expect(code).toBe(0);
  expect(facts.firstRun).toMatchObject({ checked: 2, due: 2 });
  expect(facts.certificates.map(({ name }: { name: string }) => name)).toEqual(['www', 'mail']);
  const [www] = facts.certificates;
  expect(www).toMatchObject({
    name: 'www',
    identifiers: ['*.example.com', 'example.com'],
    keyType: 'P-256',
    issuer: expect.stringMatching(/^CN=Pebble Intermediate CA/),
    secretName: 'certificates/www',
    acm: [{ region: 'us-east-1', arn: expect.stringMatching(/^arn:aws:acm:us-east-1:\d{12}:certificate\//) }],
  });
  expect(www.seconds).toBeGreaterThan(0);
  expect(facts.caRequests.total).toBeGreaterThanOrEqual(10);

  const [leaf, intermediate] = www.fullChain.match(/-----BEGIN[^-]+-----[^-]+-----END CERTIFICATE-----/g);
  const certificate = new X509Certificate(leaf);
  expect(certificate.verify(new X509Certificate(intermediate).publicKey)).toBe(true);
  expect(new X509Certificate(intermediate).verify(new X509Certificate(facts.issuingRoots).publicKey)).toBe(true);
  expect(certificate.checkHost('example.com')).toBe('example.com');
  expect(certificate.serialNumber.toLowerCase()).toBe(www.serialNumber);
  expect(facts.handshakes.www).toEqual(
    ['any-name.example.com', 'example.com'].map((serverName) => ({
      serverName,
      protocol: 'TLSv1.3',
      serialNumber: www.serialNumber,
    })),
  );
  expect(facts.hostedZones).toEqual([{ id: expect.stringMatching(/^Z/), name: 'example.com', txtValues: 0 }]);
  expect(facts.secondRun).toMatchObject({ checked: 2, due: 0 });
  expect(`${stdout}${stderr}`).not.toContain('PRIVATE KEY');
  expect(await remainingParts()).toEqual([]);
});

test('the demo shows the certificates that it issued, and then the one that failed, with its time and sentences', async () => {
  const file = configFile({
    ...zones,
    hostedZones: [...zones.hostedZones, { id: 'Z0123456789ABCDEFGHIK', name: 'example.org' }],
    certificates: [
      { name: 'broken', identifiers: ['www.example.com'] },
      { name: 'legacy', identifiers: ['legacy.example.org'], keyType: 'RSA-2048', acm: ['eu-central-1'] },
    ],
  });
  const { code, stdout, stderr } = await demo(['--json', '--break', 'dns', '--config', file]);

  expect(code).toBe(1);
  const { certificates, failures, handshakes, secondRun } = JSON.parse(stdout);
  expect(certificates).toEqual([
    expect.objectContaining({ name: 'legacy', keyType: 'RSA-2048', acm: [expect.anything()] }),
  ]);
  expect(handshakes).toEqual({ legacy: [expect.objectContaining({ serverName: 'legacy.example.org' })] });
  expect(secondRun).toMatchObject({ checked: 2, due: 0 });
  expect(failures).toEqual([
    {
      name: 'broken',
      seconds: expect.any(Number),
      error: 'ZoneNotDelegatedError',
      cause: expect.stringContaining('The parent domain delegates example.com to no server'),
      execution: expect.stringContaining(':broken-'),
    },
  ]);
  expect(stderr).toMatch(/^broken {2}failed: ZoneNotDelegatedError$/m);
  const [worked, failed] = ['\nlegacy  20', '\nbroken failed after '].map((text) => stderr.indexOf(text));
  expect(worked).toBeGreaterThan(0);
  expect(failed).toBeGreaterThan(worked ?? 0);
  expect(stderr).toMatch(/1 issued, 1 failed, in [\d.]+ s\.\n$/);
  expect(
    Math.max(
      ...stderr
        .slice(failed)
        .split('\n')
        .map(({ length }) => length),
    ),
  ).toBeLessThanOrEqual(80);
  expect(await remainingParts()).toEqual([]);
});

test('the demo shows every mistake of a config, and starts nothing', async () => {
  const file = configFile({
    ...zones,
    certificates: [{ name: 'WWW', identifiers: ['example.com', 'example.org'] }],
  });
  const { code, stdout } = await demo(['--json', '--config', file]);

  expect(code).toBe(1);
  const lines = JSON.parse(stdout).error.split('\n');
  expect(lines[0]).toBe(file);
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/^ {2}certificates\[0\]\.name: .*"WWW".*; /),
    expect.stringMatching(/^ {2}certificates\[0\]\.identifiers\[1\]: .*"example\.org".*; /),
  ]);
});

test('the demo names a config file that does not exist', async () => {
  const { code, stderr, stdout } = await demo(['--config', 'nowhere/certificates.ts']);

  expect(code).toBe(1);
  expect(stdout).toContain(`${join(ROOT, 'nowhere', 'certificates.ts')}\n  file: does not exist; `);
  expect(stderr).toBe('');
});

test('Ctrl-C during a renewal ends every process of the demo', async () => {
  let interrupted = false;
  const { code } = await demo(['--json'], (output, group) => {
    if (interrupted || !output.includes('Check renewal')) return;
    interrupted = true;
    // A terminal sends the signal to the whole process group.
    process.kill(-group, 'SIGINT');
  });

  expect(interrupted).toBe(true);
  expect(code).toBe(130);
  expect(await remainingParts()).toEqual([]);
});
