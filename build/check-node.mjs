/**
 * Ends the command with an explanation where Node.js cannot run TypeScript files. The npm scripts start with this file, so it is
 * JavaScript. `npm ci` installs a Node.js that can run them. With --ignore-scripts it does not, and the Node.js of the machine runs.
 */
if (!process.features.typescript) {
  console.error(
    `Node.js ${process.version} (${process.execPath}) cannot run the TypeScript files of this repository. ` +
      'Run "npm ci" without --ignore-scripts, which installs Node.js 24 in node_modules, or install Node.js 22.18 or newer.',
  );
  process.exit(1);
}
