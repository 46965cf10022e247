import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { show } from './fields.ts';
import { ConfigError, mistake } from './mistakes.ts';

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const defineCall = 'export default defineConfig({ ... })';

/**
 * Runs a config file and returns its default export, which is not checked.
 *
 * @throws ConfigError with one mistake if there is no such file, if it cannot be run, or if its default export is missing or is a function
 * or a promise
 */
export async function loadConfigFile(file: string): Promise<unknown> {
  const status = statSync(file, { throwIfNoEntry: false });
  if (!status?.isFile())
    throw rejected('file', status ? 'is not a file' : 'does not exist', 'expected certificates.ts');
  const extension = extname(file);
  if (!extensions.includes(extension)) {
    const allowed = `expected a TypeScript or JavaScript module (${extensions.join(', ')}) with ${defineCall}`;
    throw rejected('file', `has the extension ${show(extension)}`, allowed);
  }
  const { default: config }: { readonly default?: unknown } = await import(pathToFileURL(file).href).catch((error) => {
    throw rejected('file', ...describe(error, file));
  });
  if (config === undefined) throw rejected('default export', 'missing', `expected ${defineCall}`);
  if (typeof config === 'function' || config instanceof Promise)
    throw rejected('default export', `found ${show(config)}`, `expected its result, as in ${defineCall}`);
  return config;
}

const rejected = (...parts: Parameters<typeof mistake>) => new ConfigError([mistake(...parts)]);

/** Returns why the file could not be run, and what to do. */
function describe(error: unknown, file: string): [problem: string, allowed: string] {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const [, packageName] = /^Cannot find package '([^']+)'/.exec(message) ?? [];
  if (packageName !== undefined) {
    const allowed = `keep the file in ${process.cwd()}, where the packages are installed`;
    return [`cannot find the package ${show(packageName)} from its folder`, allowed];
  }
  const at = lineOf(error, file);
  if (error instanceof SyntaxError) return [`has a syntax error${at}: ${message}`, 'node --check shows the line'];
  return [`throws an error${at}: ${message}`, 'expected a module that runs without an error'];
}

/** Returns ` in line …` if the stack of the error names the file. Node.js does not name it for every syntax error. */
function lineOf(error: unknown, file: string): string {
  const stack = error instanceof Error ? String(error.stack) : '';
  const name = [pathToFileURL(file).href, file].find((each) => stack.includes(`${each}:`));
  const line = name === undefined ? Number.NaN : Number.parseInt(stack.split(`${name}:`)[1] ?? '', 10);
  return Number.isNaN(line) ? '' : ` in line ${line}`;
}
