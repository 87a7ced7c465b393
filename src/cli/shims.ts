/** The masquerade directory of this user. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentPaths } from '../base/paths.ts';
import { type InstalledShims, installShims } from '../shim/index.ts';

/** Installs the shims, or brings them up to date with the compilers in PATH. */
export function installedShims(): Promise<InstalledShims> {
  const cliMain = fileURLToPath(new URL('./main.js', import.meta.url));
  return installShims(join(agentPaths().cacheDirectory, 'shims'), { env: process.env, cliMain });
}
