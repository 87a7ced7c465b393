/**
 * Shared libraries that hold a compiler's own code. Debian's clang is a 140 KB program around libclang-cpp and
 * libLLVM, and GNU as writes its objects through libbfd: leaving these out would make different compilers equal.
 */
import { basename } from 'node:path';

/** Names of such libraries, and what they do. All others (libc, libgmp, …) offer general services. */
export const CODE_LIBRARIES: ReadonlyArray<{ readonly name: RegExp; readonly does: string }> = [
  { name: /^libbfd\b/, does: 'reads and writes object files for GNU binutils' },
  { name: /^libopcodes\b/, does: 'knows machine instructions for GNU binutils' },
  { name: /^libsframe\b/, does: 'writes stack trace sections for GNU binutils' },
  { name: /^libLLVM\b/, does: 'optimises and generates code for clang' },
  { name: /^libclang\b/, does: 'is the C and C++ front end of clang' },
];

/** True if the library at `path` decides what a compiler or assembler writes. */
export function isCodeLibrary(path: string): boolean {
  const name = basename(path);
  return CODE_LIBRARIES.some((library) => library.name.test(name));
}
