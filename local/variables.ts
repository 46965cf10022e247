import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalEnvironment } from './environment.ts';

/** Writes environment variables into a file that a shell reads with `source`. @returns its path */
export function writeVariables(
  { folder }: Pick<LocalEnvironment, 'folder'>,
  variables: Readonly<Record<string, string>>,
): string {
  const file = join(folder, 'environment.sh');
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  writeFileSync(file, lines.join(''));
  return file;
}
