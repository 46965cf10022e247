import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { vi } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let runs = 0;

/** Thrown instead of `process.exit` while an app runs in this process. */
class Exit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

export interface AppRun {
  readonly status: number;
  readonly stderr: string;
  /** Templates by the name of their stack. */
  readonly templates: Readonly<Record<string, { readonly Resources: object }>>;
}

/**
 * Runs the file of a CDK app as `cdk synth` does, but in this process, because a child process takes seconds to load aws-cdk-lib.
 * Rejects when the app throws.
 */
export async function runApp(file: string, context: Readonly<Record<string, string>>): Promise<AppRun> {
  const outdir = mkdtempSync(join(tmpdir(), 'perennial-app-'));
  vi.stubEnv('CDK_OUTDIR', outdir);
  vi.stubEnv('CDK_CONTEXT_JSON', JSON.stringify(context));
  // An app synthesizes itself before its process exits.
  const beforeExit: (() => void)[] = [];
  const registerOnce = process.once.bind(process);
  const once = vi.spyOn(process, 'once').mockImplementation((event, listener) => {
    if (event !== 'beforeExit') return registerOnce(event, listener);
    beforeExit.push(listener as () => void);
    return process;
  });
  const exit = vi.spyOn(process, 'exit').mockImplementation((status) => {
    throw new Exit(Number(status));
  });
  let stderr = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  try {
    // The query makes the module run again.
    await import(/* @vite-ignore */ `${pathToFileURL(join(root, file)).href}?run=${runs++}`);
    for (const listener of beforeExit) listener();
    return { status: 0, stderr, templates: templatesIn(outdir) };
  } catch (error) {
    if (error instanceof Exit) return { status: error.status, stderr, templates: {} };
    throw error;
  } finally {
    for (const spy of [once, exit, write]) spy.mockRestore();
    vi.unstubAllEnvs();
    rmSync(outdir, { recursive: true });
  }
}

function templatesIn(outdir: string): AppRun['templates'] {
  const names = readdirSync(outdir).filter((name) => name.endsWith('.template.json'));
  return Object.fromEntries(
    names.map((name) => [name.split('.')[0], JSON.parse(readFileSync(join(outdir, name), 'utf8'))]),
  );
}
