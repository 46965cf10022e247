import { Console } from 'node:console';
import { Command, Option } from 'commander';
import { demonstrate } from './demo/demonstrate.ts';
import { type DemoOptions, INTERRUPTED, runDemo } from './demo/run-demo.ts';
import { createScreen } from './demo/screen.ts';

const command = new Command('npm run demo --')
  .description(
    'Shows the whole service on this machine. Deploys it, issues the certificates of a config, and checks them.',
  )
  .option(
    '--config <file>',
    'config with the certificates. The local CA takes the place of its issuer',
    'certificates.ts',
  )
  .option('--verbose', 'show every detail of each certificate, and the requests to the CA', false)
  .option('--keep', 'keep the environment running afterwards, and print what you can look at. Ctrl-C ends it', false)
  .addOption(new Option('--break <part>', 'break something before the deployment, to watch a failure').choices(['dns']))
  .option(
    '--json',
    'print the facts as one JSON document on standard output (npm run --silent), and all else on standard error',
    false,
  )
  .addHelpText('after', '\nExits with 0 if everything worked, with 130 after Ctrl-C, and with 1 otherwise.');

const options = command.parse().opts<DemoOptions>();
// The operator's config is code too, and may print.
if (options.json) globalThis.console = new Console(process.stderr);
const interruption = new Promise<void>((interrupt) => {
  process.once('SIGINT', () => interrupt());
  process.once('SIGTERM', () => interrupt());
});
process.exitCode = await runDemo(options, {
  demonstrate,
  interruption,
  screen: createScreen(options.json ? process.stderr : process.stdout, process.env),
  write: (text) => void process.stdout.write(text),
});
// After an interruption the steps of the demo are still under way.
if (process.exitCode === INTERRUPTED) process.exit();
