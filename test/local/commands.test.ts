import { beforeEach, expect, test } from 'vitest';
import { COMMANDS, runCommand } from '../../local/commands.ts';

let done: unknown[];
beforeEach(() => {
  done = [];
});

const type = (line: string) =>
  runCommand(line, {
    dns: {
      hide: (records) => {
        done.push(records);
        return () => undefined;
      },
      delegate: (zone, servers) => {
        done.push({ zone, servers });
        return () => undefined;
      },
      showAll: () => void done.push('show'),
    },
    zones: async () => ['example.com', 'example.org'],
    stop: () => done.push('stop'),
  });

test('hide hides the records of a name from the CA and from the name servers that Perennial asks', async () => {
  expect(await type(' hide  _acme-challenge.Example.com. ')).toContain('The records of _acme-challenge.example.com');
  expect(done).toEqual([
    { view: 'authoritative', name: '_acme-challenge.example.com' },
    { view: 'validation', name: '_acme-challenge.example.com' },
  ]);
});

test('undelegate removes the delegation of a hosted zone', async () => {
  expect(await type('undelegate example.org')).toContain('example.org');
  expect(done).toEqual([{ zone: 'example.org', servers: null }]);
});

test('undelegate lists the hosted zones if there is none of that name', async () => {
  expect(await type('undelegate example.net')).toBe(
    'There is no hosted zone example.net. Hosted zones: example.com, example.org.',
  );
  expect(done).toEqual([]);
});

test('show ends what hide and undelegate did, and stop ends the environment', async () => {
  expect(await type('show')).toContain('visible');
  expect(await type('stop')).toContain('stopped');
  expect(done).toEqual(['show', 'stop']);
});

test.each(['', 'help', 'hide', 'undelegate', 'hid example.com'])('%j prints the commands', async (line) => {
  expect(await type(line)).toBe(COMMANDS);
  expect(done).toEqual([]);
});
