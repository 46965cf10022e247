import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { stepHandler } from '../../../lambdas/adapters/aws/lambda/step-handler.ts';
import { CaaError } from '../../../lambdas/domain/contract/errors.ts';
import { stepFormat } from '../../../lambdas/domain/contract/steps.ts';
import { fieldOf, type LogEvent, parseQuery } from '../../logs-insights.ts';
import { ofType, smallConfig, synthesize } from '../synthesized.ts';

const { resources } = synthesize({ ...smallConfig, notifications: { email: ['ops@example.com'] } });
const definitions = ofType(resources, 'AWS::Logs::QueryDefinition').map(([, { Properties }]) => Properties);
const folder = 'Perennial/Perennial-Certificates-0A085F0A';
const names = ['By certificate', 'By execution', 'By order', 'Failures', 'Refusals of the CA'];

/** Returns a saved query, with the name, the ARN and the URL that an operator puts in. */
function saved(name: string) {
  const { QueryString = '' } = definitions.find(({ Name }) => Name === `${folder}/${name}`) ?? {};
  return parseQuery(
    (QueryString as string)
      .replaceAll('arn:aws:states:REGION:ACCOUNT:execution:NAME', execution)
      .replace('https://ca.example/order/1', order),
  );
}

const execution = 'arn:aws:states:eu-central-1:123456789012:execution:Perennial-renewal:www-1';
const order = 'https://ca.test/order/7';

/** Lines of Step Functions and of Lambda, as their documentation shows them. Each has the name by which the tests call it. */
const documented: Readonly<Record<string, LogEvent>> = {
  entered: {
    ...{ id: '5', type: 'TaskStateEntered', details: { name: 'New order' } },
    ...{ previous_event_id: '4', event_timestamp: '1772409600000', execution_arn: execution },
  },
  aborted: {
    ...{ id: '9', type: 'ExecutionAborted', details: {} },
    ...{ previous_event_id: '0', event_timestamp: '1772409600000', execution_arn: execution },
  },
  reported: {
    ...{ time: '2026-03-02T00:00:00.000Z', type: 'platform.report' },
    record: {
      ...{ requestId: '6d68ca91', status: 'success' },
      metrics: { durationMs: 127.2, billedDurationMs: 128, memorySizeMB: 512, maxMemoryUsedMB: 120 },
    },
  },
  timedOut: {
    ...{ time: '2026-03-02T00:00:00.000Z', type: 'platform.report' },
    record: {
      requestId: '6d68ca92',
      metrics: { durationMs: 60_000 },
      status: 'timeout',
      errorType: 'Sandbox.Timedout',
    },
  },
};

const lines: Record<string, LogEvent> = {};
beforeAll(async () => {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  const handler = stepHandler(() => ({
    newOrder: async () => ({}),
    finalizeOrder: async () => {
      const problem = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA record prevents issuance' };
      throw new CaaError({ what: 'The order failed.', why: 'CAA.', problem });
    },
    checkZones: async () => {
      throw new Error('Denied.');
    },
  }));
  const run = { certificate: 'www', execution, attempt: 1 };
  const steps = [
    { step: 'newOrder', run: { ...run, order: null }, input: {} },
    { step: 'finalizeOrder', run: { ...run, order }, input: {} },
    { step: 'checkZones', run: { ...run, certificate: 'api', execution: `${execution}0`, order: null }, input: {} },
  ];
  for (const event of steps) await handler({ format: stepFormat, ...event }).catch(() => {});
  vi.restoreAllMocks();
  const [done, refused, failed] = written.map((line) => JSON.parse(line) as LogEvent);
  Object.assign(lines, { ...documented, done, refused, failed });
});
afterEach(() => vi.restoreAllMocks());

const isWritten = (field: string): boolean => Object.values(lines).some((line) => fieldOf(line, field) !== undefined);

test('there are five, over all logs but those of custom resources', () => {
  expect(definitions.map(({ Name }) => Name)).toEqual(names.map((name) => `${folder}/${name}`));
  const logGroups = ofType(resources, 'AWS::Logs::LogGroup').map(([id]) => id);
  for (const { LogGroupNames } of definitions) {
    const searched = (LogGroupNames as { readonly Ref: string }[]).map(({ Ref }) => Ref);
    // CloudFormation calls the functions of custom resources, and shows their errors.
    const others = logGroups.filter((id) => !searched.includes(id));
    expect(others.filter((id) => !/FleetStart|ExecutionsStop/.test(id))).toEqual([]);
  }
});

describe('the saved query', () => {
  test.each<[name: string, found: readonly string[]]>([
    ['By certificate', ['done', 'refused']],
    ['By execution', ['done', 'refused', 'entered', 'aborted']],
    ['By order', ['refused']],
    ['Failures', ['refused', 'failed', 'aborted', 'timedOut']],
    ['Refusals of the CA', ['refused']],
  ])('"%s" returns the lines %j', (name, found) => {
    const query = saved(name);
    const matched = Object.keys(lines).filter((key) => query.matches(lines[key] ?? {}));
    expect(matched.toSorted()).toEqual(found.toSorted());
  });

  test.each(names)('"%s" names only fields that the functions, Lambda or Step Functions write', (name) => {
    const { columns, filterFields } = saved(name);
    const used = [...columns.flatMap(({ fields }) => fields), ...filterFields].filter((each) => !each.startsWith('@'));
    expect(used.filter((field) => !isWritten(field))).toEqual([]);
  });
});

test('the queries of the runbook name only fields that the functions or Lambda write', () => {
  const queries = [...readFileSync('RUNBOOK.md', 'utf8').matchAll(/--query-string '([^']+)'/g)].map(
    ([, text = '']) => text,
  );
  expect(queries).toHaveLength(2);
  const used = queries.flatMap((text) => [...text.matchAll(/(?:filter |\(|by )([a-z][\w.]*)(?!\w*\()/g)]);
  const fields = used.map(([, field = '']) => field);
  expect(fields).toEqual(expect.arrayContaining(['milliseconds', 'step', 'type', 'record.metrics.maxMemoryUsedMB']));
  expect(fields.filter((field) => !isWritten(field))).toEqual([]);
});
