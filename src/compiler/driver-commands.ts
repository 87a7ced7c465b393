/** The commands that a driver prints for `-###`: what it would run, one indented line each, on standard error. */

/** A command that a driver would run, as words. */
export type PlannedCommand = readonly string[];

/** The commands in what GCC or Clang printed. */
export function driverCommands(output: string): PlannedCommand[] {
  return output
    .split('\n')
    .filter((line) => /^ +["/\w]/.test(line))
    .map(splitCommand);
}

/** What the driver itself has to say about its command line. */
export function driverComplaints(output: string): string[] {
  return output.split('\n').filter((line) => /: (?:warning|error|fatal error): /.test(line));
}

/** Splits a printed command: words may stand in double quotes, with backslashes before special characters. */
function splitCommand(line: string): string[] {
  const words: string[] = [];
  for (const match of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
    words.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? '');
  }
  return words;
}
