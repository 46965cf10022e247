/**
 * Starts the command line, unless Node.js is too old to load it. This file is JavaScript without new syntax, so that every Node.js can run it and print
 * the message. Node.js 22.0 to 22.17 load the command line, and most commands work there.
 */
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18))
  process.stderr.write(
    `cdk-perennial needs Node.js 22.18 or newer, and this is ${process.versions.node} (${process.execPath}). Install a newer one.\n`,
  );
if (major < 22) process.exitCode = 2;
else await import('./command-line.mjs');
