import { describe, expect, test } from 'vitest';
import type { RequestPorts } from '../../../cli/account-requests.ts';
import { deactivate } from '../../../cli/commands/deactivate.ts';
import { pause } from '../../../cli/commands/pause.ts';
import { resume } from '../../../cli/commands/resume.ts';
import { revoke } from '../../../cli/commands/revoke.ts';
import { rollover } from '../../../cli/commands/rollover.ts';
import type { CertificateReport } from '../../../lambdas/domain/contract/report.ts';
import type { WorkflowExecution } from '../../../lambdas/domain/ports/workflows.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

const now = '2026-03-01T12:00:00Z';

interface Situation {
  readonly output?: unknown;
  readonly failure?: { readonly error: string; readonly cause: string };
  readonly answer?: boolean | null;
  readonly certificate?: Partial<CertificateReport>;
}

/** Ports with one deployment, which has the certificate www and two issuers. The execution ends after one poll. */
function portsWith({ output = {}, failure, answer = null, certificate }: Situation = {}) {
  const started: unknown[] = [];
  const questions: string[] = [];
  const terminal = createTerminal();
  const issuers = ['letsencrypt', 'other'].map((name) => ({
    ...{ name, directoryUrl: `https://${name}`, staging: false },
    ...{ challenges: ['dns-01' as const], newOrders: null },
  }));
  const report = reportOf(0);
  let polls = 0;
  const ports: RequestPorts = {
    terminal,
    clock: new FakeClock(now),
    askConfirmation: async (question) => {
      questions.push(question);
      return answer;
    },
    deployments: {
      list: async () => [{ stack: 'Certificates', report: 'arn:report' }],
      report: async (_, { names }) => ({
        ...report,
        deployment: { ...report.deployment, issuers },
        certificates: names?.includes('www') ? [certificateWith(certificate)] : [],
        unknown: (names ?? []).filter((name) => name !== 'www').map((name) => ({ name, similar: 'www' })),
        next: null,
      }),
    },
    workflows: {
      start: async (stateMachine, name, input) => {
        started.push({ stateMachine, name, input });
        return 'arn:aws:states:eu-west-1:111122223333:execution:accounts:1';
      },
      list: async () => [],
      describe: async (arn): Promise<WorkflowExecution> => {
        polls += 1;
        const ended = { start: now, end: now, input: '', error: null, cause: null };
        if (polls === 1) return { ...ended, arn, status: 'RUNNING', end: null, output: null };
        if (failure) return { ...ended, arn, status: 'FAILED', ...failure, output: JSON.stringify(output) };
        return { ...ended, arn, status: 'SUCCEEDED', output: JSON.stringify(output) };
      },
      states: async () => ['Start', 'Done'].slice(0, polls).map((name) => ({ name, at: now })),
    },
  };
  return { ports, started, questions, terminal, text: () => terminal.lines.join('\n').replaceAll(/\s+/g, ' ') };
}

const inputs = (started: readonly unknown[]) => started.map((each) => (each as { input: unknown }).input);

test.each([
  [
    'pause',
    { pausedUntil: '2026-03-10T00:00:00.000Z' },
    (ports: RequestPorts, target: object) => pause('www', { until: '2026-03-10', ...target }, ports),
    'resume',
  ],
  [
    'revoke',
    { revoked: ['0a'], renew: true },
    (ports: RequestPorts, target: object) => revoke('www', { reason: 'superseded', yes: true, ...target }, ports),
    'explain',
  ],
] as const)(
  '%s names the next command with the options that find the same deployment',
  async (_, output, carryOut, next) => {
    const { ports, text } = portsWith({ output });
    await carryOut(ports, { stack: 'Certificates', region: 'eu-west-1', profile: 'ops' });
    expect(text()).toContain(`"npx cdk-perennial ${next} www --stack Certificates --region eu-west-1 --profile ops"`);
  },
);

describe('pause', () => {
  test('starts the accounts workflow, follows it, and says until when renewals are paused', async () => {
    const until = '2026-03-10T00:00:00.000Z';
    const { ports, started, terminal, text } = portsWith({ output: { certificate: 'www', pausedUntil: until } });
    expect(await pause('www', { until: '2026-03-10' }, ports)).toBe(0);
    expect(started).toEqual([
      {
        stateMachine: 'arn:accounts',
        name: expect.stringMatching(/^pause-/),
        input: { action: 'pause', certificate: 'www', until },
      },
    ]);
    expect(terminal.lines).toContain('  12:00:00 Done');
    expect(text()).toContain('Renewals of www are paused until 2026-03-10 00:00 UTC, except in an emergency.');
  });

  test('accepts a time with an offset', async () => {
    const { ports, started } = portsWith();
    await pause('www', { until: '2026-03-10T01:30:00+02:00' }, ports);
    expect(inputs(started)).toMatchObject([{ until: '2026-03-09T23:30:00.000Z' }]);
  });

  test('notes that the certificate expires before the pause ends', async () => {
    const { ports, terminal } = portsWith();
    await pause('www', { until: '2030-01-01' }, ports);
    expect(terminal.notes.join()).toContain('www expires at 2026-04-30 12:00 UTC, before the pause ends.');
  });

  test.each([
    ['2026-03-01', '--until 2026-03-01 is in the past. It is 2026-03-01 12:00 UTC now.'],
    ['2027-02-30', '--until 2027-02-30 is no date and no time in RFC 3339.'],
    ['tomorrow', '--until tomorrow is no date and no time in RFC 3339.'],
    ['2027-02-01T12:00', '--until 2027-02-01T12:00 is no date and no time in RFC 3339.'],
  ])('rejects --until %s', async (until, message) => {
    const { ports, started } = portsWith();
    await expect(pause('www', { until }, ports)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 2,
    });
    expect(started).toEqual([]);
  });
});

test('resume says whether the certificate was paused', async () => {
  const paused = portsWith({ certificate: { pausedUntil: '2026-03-10T00:00:00Z' } });
  expect(await resume('www', {}, paused.ports)).toBe(0);
  expect(inputs(paused.started)).toEqual([{ action: 'resume', certificate: 'www' }]);
  expect(paused.text()).toContain('Renewals of www are no longer paused.');
  const running = portsWith();
  await resume('www', {}, running.ports);
  expect(running.text()).toContain('www was not paused.');
});

describe('revoke', () => {
  const options = { reason: 'keyCompromise' } as const;
  const output = { revoked: ['01', '02'], renew: true };

  test('asks first, and says what was revoked and what replaces it', async () => {
    const { ports, started, questions, text } = portsWith({ answer: true, output });
    expect(await revoke('www', options, ports)).toBe(0);
    expect(questions.join().replaceAll(/\s+/g, ' ')).toMatch(
      /^Revoke www, serial \w+, valid until 2026-04-30 12:00 UTC, for the reason keyCompromise\?/,
    );
    expect(inputs(started)).toEqual([{ action: 'revoke', certificate: 'www', reason: 'keyCompromise' }]);
    expect(text()).toContain('Revoked the serial numbers 01, 02. A renewal replaces it.');
  });

  test('revokes another version of the secret, and says if its certificate has expired', async () => {
    const { ports, started, questions, text } = portsWith({ answer: true, output: { revoked: [], renew: false } });
    expect(await revoke('www', { ...options, versionId: 'v-1' }, ports)).toBe(0);
    expect(questions.join().replaceAll(/\s+/g, ' ')).toMatch(
      /^Revoke www, version v-1, for the reason keyCompromise\?/,
    );
    expect(inputs(started)).toMatchObject([{ action: 'revoke', certificate: 'www', versionId: 'v-1' }]);
    expect(text()).toContain('Revoked nothing, because the certificate has expired.');
  });

  test('starts without a question if --yes is given, and prints JSON', async () => {
    const { ports, questions, terminal } = portsWith({ output });
    expect(await revoke('www', { ...options, yes: true, json: true }, ports)).toBe(0);
    expect(questions).toEqual([]);
    expect(JSON.parse(terminal.lines.join('\n'))).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test('fails with the error of the execution, and announces no result', async () => {
    const failure = { error: 'UnauthorizedError', cause: 'Not yours.' };
    const { ports, text } = portsWith({ answer: true, failure, output });
    expect(await revoke('www', options, ports)).toBe(1);
    expect(text()).toMatch(/The revocation of www has failed\. UnauthorizedError: Not yours\.$/);
  });

  test.each([
    ['superseded', 'Revoked the serial number 01. It was no longer in use, so no renewal is started.'],
    ['cessationOfOperation', 'Revoked the serial number 01. Nothing replaces it.'],
  ] as const)('for the reason %s says why no renewal replaces the certificate', async (reason, sentence) => {
    const { ports, text } = portsWith({ output: { revoked: ['01'], renew: false } });
    await revoke('www', { reason, yes: true }, ports);
    expect(text()).toContain(sentence);
  });

  test('notes that it waits for the execution that works on the certificate', async () => {
    const { ports, terminal } = portsWith({ output, certificate: { lease: { execution: 'arn:1', since: null } } });
    await revoke('www', { ...options, yes: true }, ports);
    expect(terminal.notes).toEqual(['An execution works on www, so the revocation waits until it has ended.']);
  });

  test('has nothing to do for a certificate that was never issued', async () => {
    const { ports, started } = portsWith({ certificate: { current: null } });
    await expect(revoke('www', { ...options, yes: true }, ports)).rejects.toMatchObject({ exitCode: 3 });
    expect(started).toEqual([]);
  });
});

describe.each([
  ['revoke', (ports: RequestPorts) => revoke('www', { reason: 'superseded' }, ports)],
  ['rollover', (ports: RequestPorts) => rollover('letsencrypt', {}, ports)],
  ['deactivate', (ports: RequestPorts) => deactivate('letsencrypt', {}, ports)],
])('%s', (_, command) => {
  test('changes nothing if the operator says no', async () => {
    const { ports, started } = portsWith({ answer: false });
    await expect(command(ports)).rejects.toMatchObject({ message: 'Nothing was changed.', exitCode: 130 });
    expect(started).toEqual([]);
  });

  test('refuses without a terminal', async () => {
    const { ports, started } = portsWith({ answer: null });
    await expect(command(ports)).rejects.toMatchObject({
      message: expect.stringContaining('There is no terminal to ask. Give --yes to confirm.'),
      exitCode: 2,
    });
    expect(started).toEqual([]);
  });
});

test.each([
  ['rollover', rollover, 'rollOverKey', 'The account https://ca/1 has a new key.'],
  ['deactivate', deactivate, 'deactivate', 'The account https://ca/1 is deactivated.'],
] as const)('%s starts the accounts workflow for the issuer', async (_, command, action, sentence) => {
  const { ports, started, text } = portsWith({ answer: true, output: { issuer: 'other', account: 'https://ca/1' } });
  expect(await command('other', {}, ports)).toBe(0);
  expect(inputs(started)).toEqual([{ action, issuer: 'other' }]);
  expect(text()).toContain(sentence);
});

describe('an unknown name', () => {
  test.each([
    ['pause', (ports: RequestPorts) => pause('wwww', { until: '2027-01-01' }, ports)],
    ['resume', (ports: RequestPorts) => resume('wwww', {}, ports)],
    ['revoke', (ports: RequestPorts) => revoke('wwww', { reason: 'superseded', yes: true }, ports)],
  ])('of a certificate stops %s, with the nearest name', async (_, command) => {
    const { ports, started } = portsWith();
    await expect(command(ports)).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean www?'),
      exitCode: 3,
    });
    expect(started).toEqual([]);
  });

  test.each([
    ['rollover', rollover],
    ['deactivate', deactivate],
  ])('of an issuer stops %s, with the nearest name and all names', async (_, command) => {
    const { ports, started } = portsWith();
    await expect(command('letsencript', { yes: true }, ports)).rejects.toMatchObject({
      message:
        'No issuer with the name letsencript is configured. Did you mean letsencrypt? The configured issuers are letsencrypt, other.',
      exitCode: 3,
    });
    expect(started).toEqual([]);
  });
});
