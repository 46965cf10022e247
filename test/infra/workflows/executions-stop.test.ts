import { describe, expect, test } from 'vitest';
import { ofType, synthesize } from '../synthesized.ts';

const { resources } = synthesize();
const [stop = ''] = ofType(resources, 'Custom::StopExecutions').map(([id]) => id);

/** Returns the resources that are created before this one, and so deleted after it. */
function createdBefore(id: string, found = new Set<string>()): ReadonlySet<string> {
  const { Properties, DependsOn = [] } = resources[id] as { Properties?: unknown; DependsOn?: string | string[] };
  const text = JSON.stringify(Properties ?? {});
  const referenced = [...text.matchAll(/"(?:Ref|Fn::GetAtt)":(?:"([^"]+)"|\["([^"]+)")/g)].map(
    ([, ref, att]) => ref ?? att ?? '',
  );
  for (const each of [...referenced, ...[DependsOn].flat()]) {
    if (!(each in resources) || found.has(each)) continue;
    found.add(each);
    createdBefore(each, found);
  }
  return found;
}
const idsOf = (type: string) => ofType(resources, type).map(([id]) => id);

describe('when the stack is deleted', () => {
  test.each(['AWS::Scheduler::Schedule', 'AWS::Events::Rule', 'Custom::FleetStart'])(
    'a resource of type %s, which starts executions, is deleted before executions are stopped',
    (type) => {
      const ids = idsOf(type);
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) expect(createdBefore(id), id).toContain(stop);
    },
  );

  test('the workflows, their functions, roles and policies and the ledger are deleted after executions have ended', () => {
    const needed = createdBefore(stop);
    for (const id of [...idsOf('AWS::StepFunctions::StateMachine'), ...idsOf('AWS::DynamoDB::Table')])
      expect([...needed], id).toContain(id);
    const others = ['FleetStart', 'Schedule', 'RestartRule'];
    for (const type of ['AWS::Lambda::Function', 'AWS::IAM::Role', 'AWS::IAM::Policy'])
      for (const id of idsOf(type).filter((each) => !others.some((other) => each.includes(other))))
        expect([...needed], id).toContain(id);
  });
});
