import { App, Aws, NestedStack, Stack, Tags } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { CertificateRenewal, type CertificateRenewalProps } from '../../infra/index.ts';
import { perennialStack } from '../../infra/perennial-stack.ts';
import { specHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { expectMistakes } from './mistakes.ts';
import { smallConfig } from './synthesized.ts';

/** The tags of the operator: where they come from, which functions get them, and which are rejected. */

interface FunctionProperties {
  readonly Properties: { readonly Environment?: { readonly Variables: Readonly<Record<string, unknown>> } };
}

function stackWith(tags?: Readonly<Record<string, string>>, more: Partial<CertificateRenewalProps> = {}) {
  const app = new App({ treeMetadata: false });
  const stack = new Stack(app, 'Perennial');
  const renewal = new CertificateRenewal(stack, 'Certificates', { ...smallConfig, ...(tags && { tags }), ...more });
  return { app, stack, renewal };
}

/** Returns the tags that each function with tags has in its environment. */
function environments(stack: Stack): Readonly<Record<string, unknown>> {
  const functions = Template.fromStack(stack).findResources('AWS::Lambda::Function') as Record<
    string,
    FunctionProperties
  >;
  return Object.fromEntries(
    Object.entries(functions).flatMap(([id, { Properties }]) => {
      const { TAGS } = Properties.Environment?.Variables ?? {};
      return TAGS === undefined ? [] : [[id.replace(/^Certificates|Function.*$/g, ''), TAGS]];
    }),
  );
}

const inAll = (tags: object) => {
  const json = JSON.stringify(tags);
  return { Certificate: json, Check: json, Delivery: json, Fleet: json, Order: json };
};

describe('tags reach the functions that create or compare resources', () => {
  test('from the configuration, and reach the resources of the stack too', () => {
    const { stack } = stackWith({ team: 'web' });
    expect(environments(stack)).toEqual(inAll({ team: 'web' }));
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Tags: Match.arrayWith([{ Key: 'team', Value: 'web' }]),
    });
  });

  test('from the config file', () => {
    const stack = perennialStack(new App(), { ...smallConfig, tags: { team: 'web' } });
    expect(environments(stack)).toEqual(inAll({ team: 'web' }));
  });

  test('from Tags.of on the app, the stack or the construct, after the construct was made', () => {
    const { app, stack, renewal } = stackWith();
    Tags.of(app).add('organization', 'example');
    Tags.of(stack).add('stage', 'test');
    Tags.of(renewal).add('team', 'web');
    expect(environments(stack)).toEqual(inAll({ organization: 'example', stage: 'test', team: 'web' }));
  });

  test('from the tags of the stack, and the construct has the last word', () => {
    const stack = new Stack(new App(), 'Perennial', { tags: { team: 'all', stage: 'test' } });
    new CertificateRenewal(stack, 'Certificates', { ...smallConfig, tags: { team: 'web' } });
    expect(environments(stack)).toEqual(inAll({ stage: 'test', team: 'web' }));
  });

  test('with values that only the deployment knows', () => {
    const { stack, renewal } = stackWith();
    Tags.of(renewal).add('region', Aws.REGION);
    expect(environments(stack).Delivery).toEqual({ 'Fn::Join': ['', ['{"region":"', { Ref: 'AWS::Region' }, '"}']] });
  });

  test('except tags of other resource types', () => {
    const { stack, renewal } = stackWith();
    Tags.of(renewal).add('backup', 'daily', { includeResourceTypes: ['AWS::DynamoDB::Table'] });
    expect(environments(stack)).toEqual({});
  });
});

describe('a change of tags', () => {
  const start = (tags?: Readonly<Record<string, string>>) => {
    const { stack } = stackWith(tags);
    const [found] = Object.values(Template.fromStack(stack).findResources('Custom::FleetStart'));
    return (found as { readonly Properties: Readonly<Record<string, unknown>> }).Properties;
  };

  test('starts the fleet, and changes no file of a function', () => {
    const [none, web, shop] = [start(), start({ team: 'web' }), start({ team: 'shop' })];
    expect([none?.Tags, web?.Tags, shop?.Tags]).toEqual([undefined, '{"team":"web"}', '{"team":"shop"}']);
    expect(web?.Version).toBe(none?.Version);
    expect(shop?.Version).toBe(none?.Version);
  });

  test('does not change the hash that causes new orders', () => {
    const fields = {
      identifiers: ['example.com'],
      keyType: 'P-256' as const,
      profile: null,
      directoryUrl: 'https://a.test',
    };
    expect(specHash({ ...fields, ...{ tagsHash: 'x' } })).toBe(specHash(fields));
  });
});

describe('tags are rejected', () => {
  const rejected = (tags: unknown, path: string, problem: string, allowed: string) =>
    expectMistakes(() => stackWith(tags as Record<string, string>), [path, problem, allowed]);

  test('that AWS or this project reserves, in any case', () => {
    for (const key of ['aws:team', 'AWS:team', 'perennial:stack', 'Perennial:Stack'])
      rejected(
        { [key]: 'x' },
        `tags["${key}"]`,
        'begins with a reserved prefix',
        'does not begin with aws: or perennial:',
      );
  });

  test('whose key or value AWS does not accept', () => {
    rejected({ 'team!': 'x' }, 'tags["team!"]', 'is no key of a tag', '1 to 128 letters');
    rejected({ '': 'x' }, 'tags[""]', 'is no key of a tag', '1 to 128 letters');
    rejected({ team: 7 }, 'tags["team"]', 'found 7', 'a text of at most 256');
    rejected({ team: 'a&b' }, 'tags["team"]', 'found "a&b"', 'a text of at most 256');
    rejected({ team: 'x'.repeat(257) }, 'tags["team"]', 'found', 'a text of at most 256');
    rejected(['team'], 'tags', 'found a list', 'an object with a text for each key');
  });

  test('beyond 46, because a resource has 50 and four are set by this project', () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index + 10}`, '']));
    expect(environments(stackWith(many(46)).stack)).toEqual(inAll(many(46)));
    rejected(many(47), 'tags', 'found 47 tags', 'at most 46');
  });

  test('at synth if Tags.of added them', () => {
    const { app, renewal } = stackWith();
    Tags.of(renewal).add('perennial:certificate', 'www');
    expect(() => app.synth()).toThrow(/tags\["perennial:certificate"\]: begins with a reserved prefix/);
  });

  test('at synth if they do not fit into the environment of a function', () => {
    const value = 'x'.repeat(256);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
    expect(() => stackWith(many(12)).app.synth()).not.toThrow();
    expect(() => stackWith(many(13)).app.synth()).toThrow(/13 tags have \d+ bytes; expected at most 3324/);
  });
});

describe('the ownership tag', () => {
  test('is the name of the stack', () => {
    expect(stackWith().renewal.ownershipTag).toBe('Perennial');
  });

  test('is the name of the outermost stack in nested stacks, which get a new name when they are created again', () => {
    const outer = new Stack(new App(), 'Outer', { stackName: 'platform' });
    const nested = new NestedStack(new NestedStack(outer, 'One'), 'Two');
    expect(new CertificateRenewal(nested, 'Certificates', smallConfig).ownershipTag).toBe('platform');
    expect(JSON.stringify(Template.fromStack(nested).findResources('AWS::Lambda::Function'))).toContain(
      '"STACK_TAG":"platform"',
    );
  });
});
