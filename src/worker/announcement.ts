/** How a worker tells submitters about a compiler of its own. */
import { basename } from 'node:path';
import { digestToBytes } from '../base/digest.ts';
import type { WireToolchain } from '../mesh/index.ts';
import type { Toolchain } from '../toolchain/index.ts';

/** The toolchain with what makes up its identity; of other files than the driver only the names, not the places. */
export function announcementOf(toolchain: Toolchain): WireToolchain {
  const { id, dialect, driver, version, targetTriple, scope, host, versionText, specsDigest } = toolchain;
  return {
    id,
    dialect,
    driver,
    version,
    targetTriple,
    scope,
    host,
    name: toolchain.compilerPath,
    versionText,
    ...(specsDigest === undefined ? {} : { specsSha256: digestToBytes(specsDigest) }),
    components: toolchain.components.map(({ role, path, digest }) => ({
      role,
      name: basename(path),
      sha256: digestToBytes(digest),
    })),
  };
}
