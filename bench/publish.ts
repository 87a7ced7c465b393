/**
 * `npm run bench:publish -- RESULT.json`: makes a result of `npm run bench:mesh`, `bench:submitter` or `bench:micro` the
 * one that the documentation shows. Without a file, charts and tables are made anew from the published results.
 */
import {
  publish,
  publishedMicro,
  publishedResult,
  publishedSmall,
  publishedSubmitter,
  readResult,
} from './publish/pages.ts';

const USAGE = `usage: npm run bench:publish -- [RESULT.json]
  RESULT.json   of bench:mesh on k348 or small, bench:submitter on k348, or bench:micro
                without one, charts and tables are made anew from the published results`;

function main(file: string | undefined): void {
  if (file === '--help') {
    console.log(USAGE);
    return;
  }
  const results =
    file === undefined
      ? [publishedResult(), publishedSmall(), publishedSubmitter(), publishedMicro()]
      : [readResult(file)];
  for (const path of new Set(results.flatMap(publish))) console.log(path);
}

try {
  main(process.argv[2]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
