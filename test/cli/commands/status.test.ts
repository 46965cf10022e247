import { expect, test } from 'vitest';
import { status } from '../../../cli/commands/status.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

async function printed(certificates: ReturnType<typeof reportOf>['certificates']): Promise<string> {
  const terminal = createTerminal();
  const report = async () => ({ ...reportOf(0), certificates, next: null });
  const deployments = { list: async () => [{ stack: 'Certificates', report: 'arn' }], report };
  const code = await status(undefined, {}, { deployments, terminal, pageAssets: () => ({ style: '', script: '' }) });
  return `${terminal.lines.join('\n')}\nexit code ${code}`;
}

const expiring = (name: string, day: number) =>
  certificateWith({
    name,
    attention: [`Less than 20 % of its lifetime is left. It expires at 2026-03-0${day}T12:00:00Z.`],
  });

test('status shows that the endpoints of a certificate are checked again, in words', async () => {
  const reason = 'an endpoint did not serve it at 2026-03-01T06:31:00.000Z';
  const attention = ['An endpoint presents another certificate, or cannot be reached.'];
  const text = await printed([certificateWith({ action: 'checkEndpoints', reason, attention })]);
  expect(text.replaceAll(/\s+/g, ' ')).toContain(
    'check endpoints: an endpoint did not serve it at 2026-03-01 06:31 UTC',
  );
});

test('status prints certificates with the same problem together, although they expire at other times', async () => {
  const text = await printed([
    ...[2, 3, 4, 5, 6].map((day) => expiring(`www-${day}`, day)),
    certificateWith({ name: 'mail', attention: ['An endpoint presents another certificate.'] }),
  ]);
  expect(text.slice(text.indexOf('\nwww-2, '))).toBe(`
www-2, www-3, www-4 and 2 more
  www-2: Less than 20 % of its lifetime is left. It expires at 2026-03-02 12:00
  UTC.
  www-3: Less than 20 % of its lifetime is left. It expires at 2026-03-03 12:00
  UTC.
  www-4: Less than 20 % of its lifetime is left. It expires at 2026-03-04 12:00
  UTC.
  2 more. status NAME shows each.

mail
  An endpoint presents another certificate.

6 certificates, 6 of which need attention
"npx cdk-perennial explain www-2" shows the cause and what to do.
exit code 1`);
});
