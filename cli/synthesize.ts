import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, exitCodes } from './exit-codes.ts';

/** Options of `cdk synth`. */
export interface SynthesisOptions {
  /** Command of the app, if `cdk.json` has none. */
  readonly app?: string | undefined;
  /** Values for the app, such as `config=certificates.ts`. */
  readonly context?: readonly string[] | undefined;
  readonly profile?: string | undefined;
}

/**
 * Runs `cdk synth` of the app in a folder, as `cdk diff` does. Messages of the app go to standard error.
 *
 * @returns a folder with the cloud assembly, which is removed when the process ends
 * @throws CommandError if there is no app, or if it cannot be synthesized
 */
export async function synthesize(
  { app, context = [], profile }: SynthesisOptions,
  cwd: string = process.cwd(),
): Promise<string> {
  if (app === undefined && !existsSync(join(cwd, 'cdk.json')))
    throw new CommandError(
      'This folder has no cdk.json. Run the command in the folder of the app, give the command of the app with --app, or give the folder that cdk synth wrote with --cdk-out.',
      exitCodes.usage,
    );
  const command = cdk(cwd);
  const folder = mkdtempSync(join(tmpdir(), 'perennial-plan-'));
  const args = [
    ...['synth', '--quiet', '--no-notices', '--output', folder],
    ...(app === undefined ? [] : ['--app', app]),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...context.flatMap((each) => ['--context', each]),
  ];
  // The result is the only content of standard output.
  const child = spawn(process.execPath, [command, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', () => {
    child.kill();
    remove();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return folder;
  remove();
  throw new CommandError(
    '"cdk synth" failed, so there is no configuration to compare. Correct what it says above, and run the command again.',
    exitCodes.failed,
  );
}

/** Returns the file of the `cdk` command that is installed for the app. */
function cdk(cwd: string): string {
  try {
    return createRequire(join(cwd, 'package.json')).resolve('aws-cdk/bin/cdk');
  } catch {
    throw new CommandError(
      'The package aws-cdk is not installed in this folder. Install it, or run "cdk synth" and give its folder with --cdk-out cdk.out.',
      exitCodes.usage,
    );
  }
}
