import { expect, test } from 'vitest';
import { withVersionNote } from '../../cli/version-note.ts';
import { reportOf } from './page/reports.ts';
import { createTerminal } from './terminal.ts';

test.each([
  ['1.2.2', true],
  ['1.1.9', true],
  ['0.9.9', true],
  ['1.2.3', false],
  ['1.10.0', false],
  ['2.0.0', false],
  ['unbuilt', false],
])('a deployed version %s is noted once: %j', async (version, noted) => {
  const terminal = createTerminal();
  const report = reportOf(0);
  const reply = { ...report, deployment: { ...report.deployment, version }, next: null };
  const deployments = withVersionNote({ list: async () => [], report: async () => reply }, '1.2.3', terminal);
  for (let page = 0; page < 2; page += 1) expect(await deployments.report('arn', { names: null, from: 0 })).toBe(reply);
  expect(terminal.notes).toHaveLength(noted ? 1 : 0);
  if (noted)
    expect(terminal.notes[0]?.replaceAll('\n', ' ')).toContain(
      `has version ${version}, which is older than this command line (1.2.3).`,
    );
});
