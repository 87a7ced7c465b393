/**
 * `npm run bench:publish -- RESULT.json`: makes a result of `npm run bench:mesh` the one that the documentation shows.
 * Without a file, charts and tables are made anew from the result that is published.
 */
import { publish, publishedResult, readResult } from './publish/pages.ts';

try {
  const [file] = process.argv.slice(2);
  for (const path of publish(file === undefined ? publishedResult() : readResult(file))) console.log(path);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
