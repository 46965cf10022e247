import { Console } from 'node:console';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { demonstrate } from './demo/demonstrate.ts';
import type { Facts } from './demo/facts.ts';
import { keptVariables, printKept } from './demo/report.ts';
import { createScreen } from './demo/screen.ts';
import type { LocalEnvironment } from './environment.ts';

interface Options {
  config: string;
  keep: boolean;
  json: boolean;
}

const command = new Command('npm run demo --')
  .description(
    'Shows the whole service on this machine: deploys it, issues the certificates of a config, and checks them.',
  )
  .option('--config <file>', 'whose certificates; the local CA takes the place of its issuer', 'certificates.ts')
  .option('--keep', 'stay up afterwards and say what to look at; Ctrl-C ends it', false)
  .option(
    '--json',
    'what was shown as one JSON document on standard output (npm run --silent), all else on standard error',
    false,
  )
  .addHelpText('after', '\nExits with 0 when everything worked, else with 1.');

async function main({ config, keep, json }: Options): Promise<void> {
  // The operator's config is code too, and may print.
  if (json) globalThis.console = new Console(process.stderr);
  const screen = createScreen(json ? process.stderr : process.stdout, process.env);
  const start = Date.now();
  const facts: Facts = { config: resolve(config) };
  let local: LocalEnvironment | undefined;
  let kept = false;
  let interrupted = false;
  let error: string | undefined;

  const interrupt = async () => {
    interrupted = true;
    screen.release();
    await local?.stop();
    process.exit(kept ? 0 : 130);
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);

  try {
    await demonstrate(screen, facts, (environment) => {
      local = environment;
    });
    kept = keep;
  } catch (reason) {
    error = reason instanceof Error ? reason.message : String(reason);
    process.exitCode = 1;
  }
  // What fails because everything is being stopped is no news.
  if (interrupted) return;
  const seconds = (Date.now() - start) / 1000;
  const variables = kept && local ? keptVariables(local, facts) : undefined;
  if (json) process.stdout.write(`${JSON.stringify({ error, ...facts, seconds, variables }, null, 2)}\n`);
  if (error) screen.print(`\nThe demo failed after ${seconds.toFixed(1)} s.\n\n${error}`);
  else screen.print(`\nAll of it worked, in ${seconds.toFixed(1)} s.`);

  if (kept && local) return printKept(screen, local, facts);
  await local?.stop();
}

await main(command.parse().opts<Options>());
