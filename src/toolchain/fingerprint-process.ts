/**
 * The process that takes a fingerprint, at the lowest priority: `node fingerprint-process.js COMPILER SCOPE`. It prints
 * one line of JSON, a {@link FingerprintAnswer}. Its other side: fingerprints.ts.
 */
import { setPriority } from 'node:os';
import { messageOf } from '../base/errors.ts';
import { isLanguageScope } from '../compiler/index.ts';
import { takeFingerprint } from './behaviour-fingerprint.ts';
import type { FingerprintAnswer } from './fingerprints.ts';
import { probeToolchain } from './probe-toolchain.ts';

const LOWEST_PRIORITY = 19;

async function answer(compilerPath: string, scope: string): Promise<FingerprintAnswer> {
  if (!isLanguageScope(scope)) return { trouble: `there is no scope ${scope}` };
  const { env } = process;
  try {
    const toolchain = await probeToolchain(compilerPath, { env, scope });
    const assemblerPath = toolchain.components.find(({ role }) => role === 'as')?.path;
    const fingerprint = await takeFingerprint({ ...toolchain, assemblerPath }, env);
    // One that was replaced meanwhile would be known by the behaviour of two.
    const after = await probeToolchain(compilerPath, { env, scope });
    if (after.id !== toolchain.id) return { trouble: `${compilerPath} was replaced meanwhile` };
    return { toolchainId: toolchain.id, fingerprint };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}

setPriority(LOWEST_PRIORITY);
const [compilerPath = '', scope = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await answer(compilerPath, scope))}\n`);
