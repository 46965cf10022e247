import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const sourceOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** Files and names that `infra/index.ts` exports. */
const packageExports = [...sourceOf('infra/index.ts').matchAll(/^export (?:type )?\{(.*?)\} from '(.*?)';/gms)].flatMap(
  ([, names = '', file = '']) =>
    names.split(',').flatMap((name) => {
      const exported = name.replace('type ', '').trim();
      return exported ? [[join(dirname('infra/index.ts'), file), exported] as const] : [];
    }),
);
const contract = 'lambdas/domain/contract';
/** Names that the entries `/secret` and `/events` export, and the types of their members. */
const entryExports = [
  ...[...sourceOf(`${contract}/certificate-secret.ts`).matchAll(/^export (?:interface|class|function) (\w+)/gm)].map(
    ([, name = '']) => [`${contract}/certificate-secret.ts`, name] as const,
  ),
  ...[...sourceOf(`${contract}/events.ts`).matchAll(/^export (?:interface|type|const|function) (\w+)/gm)].map(
    ([, name = '']) => [`${contract}/events.ts`, name] as const,
  ),
  [`${contract}/certificate-facts.ts`, 'CertificateFacts'],
  [`${contract}/certificate-facts.ts`, 'ServedCertificate'],
  [`${contract}/certificate-facts.ts`, 'OutsideChange'],
  ['infra/monitoring/renewal-metrics.ts', 'RenewalMetrics'],
  [`${contract}/steps/delivery-steps.ts`, 'ImportCertificateOutput'],
  [`${contract}/config.ts`, 'Issuer'],
] as const;

/** Returns the lines of a declaration and the line before it. */
function declaration(file: string, name: string): readonly string[] {
  const lines = sourceOf(file).split('\n');
  const pattern = new RegExp(`^export (?:abstract )?(?:interface|class|function|type|const) ${name}\\b`);
  const start = lines.findIndex((line) => pattern.test(line));
  const end = lines.findIndex((line, index) => index >= start && (/^\}/.test(line) || /;$/.test(lines[start] ?? '')));
  if (start === -1) throw new Error(`${file} does not declare ${name}`);
  return lines.slice(start - 1, end + 1);
}

/** Public members of an interface or a class. Members of a function body are indented in the same way, and are left out. */
function undocumentedMembers(lines: readonly string[]): readonly string[] {
  if (!/^export (interface|(abstract )?class)/.test(lines[1] ?? '')) return [];
  return lines.flatMap((line, index) => {
    const [, member] =
      /^ {2}(?!private |protected |constructor|override )(?:static |abstract |readonly )*(\w+)\??[(:]/.exec(line) ?? [];
    return member && !lines[index - 1]?.trimEnd().endsWith('*/') ? [member] : [];
  });
}

test('the package and its entries export what they are known for', () => {
  const names = [...packageExports, ...entryExports].map(([, name]) => name);
  expect(names).toEqual(expect.arrayContaining(['CertificateRenewal', 'KeyType', 'letsEncrypt', 'parseEvent']));
  expect(names.length).toBeGreaterThan(40);
});

describe('every export has a docstring, and so has each of its public members', () => {
  test.each([...packageExports, ...entryExports])('%s %s', (file, name) => {
    const lines = declaration(file, name);
    expect(lines[0]).toMatch(/\*\/$/);
    expect(undocumentedMembers(lines)).toEqual([]);
  });
});
