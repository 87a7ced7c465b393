/** Programs that stand in for a compiler under its name: asking them would ask them, not the compiler. */

/** By the basename that the link `gcc` of a masquerade directory resolves to. */
export const MASQUERADE_PROGRAMS: Readonly<Record<string, string>> = {
  'meshcc-shim': 'the shim of this mesh',
  ccache: 'a compiler cache',
  distcc: 'a distributed compiler',
  icecc: 'a distributed compiler (icecream)',
  sccache: 'a shared compiler cache',
};
