// CommonJS, because `__dirname` does not exist in the sources, which are ES modules, and `import.meta` does not exist in the CommonJS build.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const above = join(__dirname, '..', '..');

/** Folder of the bundled functions, beside the compiled library or in `dist/` beside the sources. `undefined` if they are not built. */
exports.functionsFolder = [join(above, 'functions'), join(above, 'dist', 'functions')].find((path) => existsSync(path));
