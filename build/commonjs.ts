import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Completes the compiled library: Node.js loads its files as CommonJS, and finds the one source that is CommonJS already. */
const root = join(import.meta.dirname, '..');
const module = join('infra', 'workflows', 'functions-folder.cjs');
copyFileSync(join(root, module), join(root, 'dist', module));
writeFileSync(join(root, 'dist', 'package.json'), '{ "type": "commonjs" }\n');
