/**
 * Names of the files that a compile writes, where the arguments do not spell them out.
 * Found by trying GCC 12; its manual describes them under -dumpbase and -MD.
 */

/** What follows the last slash. */
export function basenameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The suffix of a file name with its dot; empty if there is none, or nothing but it. */
export function suffixOf(path: string): string {
  const name = basenameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot);
}

function withoutSuffix(path: string): string {
  return path.slice(0, path.length - suffixOf(path).length);
}

/**
 * Where the object or assembly goes without -o: into the working directory, under the source's name.
 * @param suffix `.o` or `.s`
 */
export function defaultOutputName(sourcePath: string, suffix: string): string {
  return withoutSuffix(basenameOf(sourcePath)) + suffix;
}

/**
 * The name of a file beside the object: `.dwo`, `.gcno`, `.su`, `.ci`.
 * @param outputPath the value of -o, or undefined without it
 */
export function sideOutputName(sourcePath: string, outputPath: string | undefined, suffix: string): string {
  return withoutSuffix(outputPath ?? basenameOf(sourcePath)) + suffix;
}

/**
 * The name of the dependency file of -MD and -MMD without -MF. Unlike a side output's it drops the whole
 * name of a hidden file: `-o d/.x` gives `d/.d`.
 */
export function defaultDepfileName(sourcePath: string, outputPath: string | undefined): string {
  if (outputPath === undefined) return `${withoutSuffix(basenameOf(sourcePath))}.d`;
  const slash = outputPath.lastIndexOf('/');
  const dot = outputPath.lastIndexOf('.');
  return `${dot > slash ? outputPath.slice(0, dot) : outputPath}.d`;
}
