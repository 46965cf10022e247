import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns the licences of the packages in a bundle. Most licences require that each copy includes their text. Each text appears once,
 * below the packages that use it.
 *
 * @param files paths of all files of the bundle
 * @throws Error if a package names no licence
 */
export function thirdPartyNotices(files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const packagesByText = Map.groupBy([...folders].map(packageIn), ({ text }) => text);
  const parts = [...packagesByText].map(([text, packages]) => {
    const titles = packages.map(({ title }) => title).toSorted();
    return `${titles.join('\n')}\n\n${text}\n`;
  });
  return `The functions contain these packages.\n\n${parts.toSorted().join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function packageIn(folder: string): { readonly title: string; readonly text: string } {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const { name, version, license } = manifest;
  if (license === undefined)
    throw new Error(`${name} ${version} names no licence. Find out whether the package may be distributed.`);
  const contentOf = (names: RegExp) => {
    const file = readdirSync(folder).find((each) => names.test(each));
    return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').replaceAll('\r', '');
  };
  const inReadme = /^(?:#+ )?Licen[cs]e\n(?:-+\n)?([\s\S]+)/m.exec(contentOf(/^readme/i) ?? '')?.[1];
  const text = contentOf(/^licen[cs]e/i) ?? inReadme ?? '(The package contains no licence text.)';
  return { title: `${name} ${version} (${license})`, text: text.trim() };
}
