/** What a path in a request must look like before anything is done with it. */

/** As long as Linux allows (PATH_MAX less the NUL, NAME_MAX). */
const MAX_PATH_BYTES = 4095;
const MAX_COMPONENT_BYTES = 255;

/**
 * Why a path cannot be a place in a submitter's view, or undefined if it can: absolute, no empty, "." or ".."
 * component, no NUL, within the kernel's lengths.
 */
export function viewPathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not absolute';
  if (path.includes('\0')) return 'contains a NUL';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (path === '/') return undefined;
  for (const component of path.slice(1).split('/')) {
    if (component === '' || component === '.' || component === '..') return 'is not canonical';
    if (Buffer.byteLength(component) > MAX_COMPONENT_BYTES) return 'has a component that is too long';
  }
  return undefined;
}

/** A path of a job made absolute, otherwise as spelled. */
export function absolutePath(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
