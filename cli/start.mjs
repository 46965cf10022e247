/**
 * Starts the command line, unless Node.js is too old to load it. It is JavaScript without new syntax, so that every Node.js can say so.
 */
const [major] = process.versions.node.split('.').map(Number);
if (major < 22) {
  process.stderr.write(
    `cdk-perennial needs Node.js 22.18 or newer, and this is ${process.versions.node} (${process.execPath}). Install a newer one.\n`,
  );
  process.exitCode = 2;
} else {
  await import('./command-line.mjs');
}
