/**
 * `npm run bench:micro`: what the pieces of meshcc cost that every compile pays for, each as a ratio to something that
 * everybody knows, measured in turns in the same run. docs/micro-benchmarks.md says what each line means.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.ts';
import { machineFacts } from './contest/machine.ts';
import { formatMicro, type MeasuredPart, type MicroResult } from './micro/report.ts';
import { PARTS, runPart } from './micro/run.ts';
import { checkWritable } from './result-file.ts';

const USAGE = `usage: npm run bench:micro -- [options]
  --only NAMES    parts, with commas: ${PARTS.map(({ name }) => name).join(', ')}
  --rounds N      rounds of each part, of which medians are taken (7)
  --short         a tenth of the work in 2 rounds: shows that everything works, and the figures mean little
  --json FILE     write everything that was measured`;

const OPTIONS = {
  only: { type: 'string' },
  rounds: { type: 'string' },
  short: { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const SHORT_SCALE = 0.1;

const log = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

function chosenParts(only: string | undefined): typeof PARTS {
  if (only === undefined) return PARTS;
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.find((name) => PARTS.every((part) => part.name !== name));
  if (unknown === undefined) return PARTS.filter(({ name }) => names.includes(name));
  throw new BenchError(`--only names ${unknown}, and there are ${PARTS.map(({ name }) => name).join(', ')}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const rounds = Number(values.rounds ?? (values.short ? 2 : 7));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new BenchError(`--rounds must be a whole number from 1, not ${values.rounds}`);
  checkWritable(values.json);
  const chosen = chosenParts(values.only);
  const parts: MeasuredPart[] = [];
  for (const part of chosen) {
    log(`${part.name}: ${part.what}`);
    parts.push(await runPart(part, rounds, values.short ? SHORT_SCALE : 1));
  }
  const words = [
    ...(values.only === undefined ? [] : [`--only ${values.only}`]),
    ...(values.rounds === undefined ? [] : [`--rounds ${values.rounds}`]),
    ...(values.short ? ['--short'] : []),
  ];
  const command = ['npm run bench:micro', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
  const machine = machineFacts(['bubblewrap']);
  const result: MicroResult = { bench: 'micro', command, rounds, machine, parts };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
  console.log(formatMicro(result));
}

try {
  await main();
} catch (error) {
  log(`FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
