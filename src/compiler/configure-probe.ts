/**
 * Recognises the small test compiles of configure steps. They are tiny, they come one after another, and
 * their answers describe this machine, so that they are run here at once.
 */

/** How the file names of probes look, and whose they are. */
const PROBE_PATTERNS: readonly { readonly pattern: RegExp; readonly who: string }[] = [
  { pattern: /(?:^|\/)(?:tmp\.)?conftest\.[^/]*$/, who: 'autoconf' },
  { pattern: /(?:^|\/)CMakeFiles\/(?:CMakeScratch|CMakeTmp)(?:\/|$)/, who: 'CMake' },
  { pattern: /(?:^|\/)CMakeFiles\/(?:[^/]*\/)?cmTC_/, who: 'CMake' },
  { pattern: /(?:^|\/)CMake(?:C|CXX|OBJC|OBJCXX)Compiler(?:Id|ABI)\.[^/]*$/, who: 'CMake' },
  { pattern: /(?:^|\/)test(?:C|CXX|OBJC|OBJCXX)Compiler\.[^/]*$/, who: 'CMake' },
  { pattern: /(?:^|\/)meson-private\/(?:tmp|sanitycheck)/, who: 'Meson' },
  { pattern: /(?:^|\/)config\.tests\//, who: 'qmake' },
];

/** The source of probes that only try options, and the output of calls that only want the diagnostics. */
export const NULL_DEVICE = '/dev/null';

/**
 * Who makes the probe that a path belongs to, or undefined if it is no probe.
 * @param path a source, an output or a working directory
 */
export function probeMaker(path: string): string | undefined {
  return PROBE_PATTERNS.find((row) => row.pattern.test(path))?.who;
}
