import { spawn } from 'node:child_process';

// Runs npm scripts at the same time: `node build/run-scripts.ts types lint unit`. The output of the last one is shown as it comes, and that of each
// other one when it has ended. The exit code is 1 if one of them has failed.

const scripts = process.argv.slice(2);
const last = scripts.at(-1);

/** Runs one script. Returns whether it has succeeded. */
async function run(script: string): Promise<boolean> {
  const stdio = script === last ? 'inherit' : 'pipe';
  const child = spawn(`npm run ${script}`, { stdio: ['ignore', stdio, stdio], shell: true });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  process.stdout.write(Buffer.concat(output));
  return code === 0;
}

const succeeded = await Promise.all(scripts.map(run));
if (succeeded.includes(false)) {
  const failed = scripts.filter((_, index) => !succeeded[index]);
  console.error(`These npm scripts have failed: ${failed.join(', ')}.`);
  process.exitCode = 1;
}
