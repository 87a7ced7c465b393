/** What another node says of its compilers: bounded, cleaned of what does not belong on a terminal, and believed by nobody. */
import { digestFromBytes } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import { isLanguageScope } from '../compiler/index.ts';
import type { WireToolchain } from '../mesh/index.ts';
import { COMPONENT_ROLES, type ComponentRole, type OfferedToolchain } from '../toolchain/index.ts';

/** Further compilers of one node are not described; their ids still count for jobs. */
const MAX_DESCRIBED = 256;
/** A clang with all its libraries and resource files has about thirty. */
const MAX_COMPONENTS = 256;
const MAX_WORD = 64;
const MAX_PHRASE = 160;

/** The descriptions in a Welcome. Those of a dialect that is unknown here are left out. */
export function offeredToolchains(announced: readonly WireToolchain[]): OfferedToolchain[] {
  return announced.slice(0, MAX_DESCRIBED).flatMap((toolchain) => {
    const { dialect, driver } = toolchain;
    if (dialect !== 'gcc' && dialect !== 'clang') return [];
    if (driver !== 'c' && driver !== 'c++') return [];
    return [
      {
        id: printable(toolchain.id, MAX_WORD),
        dialect,
        driver,
        version: printable(toolchain.version, MAX_WORD),
        targetTriple: printable(toolchain.targetTriple, MAX_WORD),
        scope: isLanguageScope(toolchain.scope) ? toolchain.scope : undefined,
        host: printable(toolchain.host ?? '', MAX_WORD),
        name: printable(toolchain.name ?? '', MAX_PHRASE),
        versionText: printable(toolchain.versionText ?? '', MAX_PHRASE),
        specsDigest: digestFromBytes(toolchain.specsSha256 ?? new Uint8Array()),
        components: componentsOf(toolchain),
      },
    ];
  });
}

/** None at all if one of them cannot be read: half a description would tell wrong differences. */
function componentsOf({ components = [] }: WireToolchain): OfferedToolchain['components'] {
  if (components.length > MAX_COMPONENTS) return [];
  const read = components.flatMap(({ role, name, sha256 }) => {
    const digest = digestFromBytes(sha256);
    return isComponentRole(role) && digest !== undefined
      ? [{ role, path: printable(name, MAX_WORD), digest }]
      : [];
  });
  return read.length === components.length ? read : [];
}

function isComponentRole(role: string): role is ComponentRole {
  return Object.hasOwn(COMPONENT_ROLES, role);
}
