/**
 * `npm run bench:publish -- RESULT.json`: makes a result of `npm run bench:mesh` or `bench:micro` the one that the
 * documentation shows. Without a file, charts and tables are made anew from the results that are published.
 */
import { publish, publishedMicro, publishedResult, readResult } from './publish/pages.ts';

try {
  const [file] = process.argv.slice(2);
  const results = file === undefined ? [publishedResult(), publishedMicro()] : [readResult(file)];
  for (const path of results.flatMap(publish)) console.log(path);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
