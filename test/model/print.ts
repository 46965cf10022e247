import { modelResults, modelTable } from './table.ts';

// Prints the table of docs/scale.md: `npm run model`.

process.stdout.write(`${modelTable(await modelResults())}\n`);
