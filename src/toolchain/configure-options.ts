/** What a GCC was configured with, as far as it decides about objects; the rest says where and how it was built. */

/** Options of GCC's configure script that change what is compiled without further options, and how. */
export const TELLING_OPTIONS: readonly { readonly name: RegExp; readonly decides: string }[] = [
  {
    name: /^--with-(?:arch|cpu|tune|schedule)(?:-32|-64|_32|_64)?$/,
    decides: 'the processor that code is for',
  },
  {
    name: /^--with-(?:abi|float|fpu|mode|endian|isa-spec|fp-32|odd-spreg-32|nan|divide)$/,
    decides: 'the ABI',
  },
  { name: /^--with(?:out)?-long-double(?:-128|-format)?$/, decides: 'the format of long double' },
  {
    name: /^--(?:en|dis)able-default-(?:pie|ssp|pic)$/,
    decides: 'position independence and stack protection',
  },
  {
    name: /^--(?:en|dis)able-(?:cet|standard-branch-protection|vtable-verify)$/,
    decides: 'control flow protection',
  },
  {
    name: /^--(?:en|dis)able-fix-cortex-a53-(?:835769|843419)$/,
    decides: 'code around errors of processors',
  },
  {
    name: /^--(?:en|dis)able-(?:gnu-unique-object|__cxa_atexit|initfini-array)$/,
    decides: 'kinds of symbols and sections',
  },
  {
    name: /^--(?:en|dis)able-(?:sjlj-exceptions|gnu-indirect-function|comdat|tls|decimal-float|fixed-point)$/,
    decides: 'language features',
  },
  {
    name: /^--(?:en|dis)able-(?:frame-pointer|secureplt|targets|multiarch|multilib)$/,
    decides: 'what options exist and mean',
  },
  {
    name: /^--with-(?:multilib-list|dwarf2|stack-clash-protection-guard-size|plugin-ld|gnu-as)$/,
    decides: 'what options exist and mean',
  },
];

/** The telling options of the line `Configured with: …` that `gcc -v` prints, sorted; empty if there is none. */
export function tellingConfigureOptions(versionOutput: string): string[] {
  const line = /^Configured with: (.*)$/m.exec(versionOutput)?.[1] ?? '';
  return line
    .split(' ')
    .map((word) => word.replaceAll("'", ''))
    .filter((word) => TELLING_OPTIONS.some(({ name }) => name.test(word.replace(/=.*$/s, ''))))
    .sort();
}
