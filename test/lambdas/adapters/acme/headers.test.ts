import { expect, test } from 'vitest';
import { alternatesOf } from '../../../../lambdas/adapters/acme/headers.ts';

const base = 'https://ca.example/certificate/1';
const alternates = (link: unknown) => alternatesOf({ status: 200, headers: { link }, data: '' }, base);

test.each<[string, unknown, string[]]>([
  ['no Link header', undefined, []],
  ['one alternate', '<https://ca.example/certificate/1/1>;rel="alternate"', ['https://ca.example/certificate/1/1']],
  [
    'the directory and two alternates in one header',
    '<https://ca.example/directory>;rel="index", </certificate/1/1>; rel=alternate, <2>;rel="alternate"',
    ['https://ca.example/certificate/1/1', 'https://ca.example/certificate/2'],
  ],
  ['several headers', ['</a>;rel="alternate"', '</b>;rel="up"'], ['https://ca.example/a']],
  ['several relations', '</a>;title="x";rel="up alternate"', ['https://ca.example/a']],
  ['a relation of a longer name', '</a>;rel="alternates"', []],
  ['a URL that is none', '<https://>;rel="alternate"', []],
])('%s', (_, link, urls) => {
  expect(alternates(link)).toEqual(urls);
});
