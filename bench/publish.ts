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

try {
  const [file] = process.argv.slice(2);
  const results =
    file === undefined
      ? [publishedResult(), publishedSmall(), publishedSubmitter(), publishedMicro()]
      : [readResult(file)];
  for (const path of results.flatMap(publish)) console.log(path);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
