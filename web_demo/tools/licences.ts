/** Puts the licences of everything that is in the page into the page. */

import {readFileSync} from 'node:fs';

import type {Plugin} from 'vite';

/** What the package of LiteRT says nothing of, found by the names of sources in its WebAssembly. */
const INSIDE_LITERT = [
  ['Abseil, FlatBuffers, gemmlowp, ruy', 'Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0'],
  ['Eigen', 'MPL-2.0', 'https://www.mozilla.org/MPL/2.0, source: https://gitlab.com/libeigen/eigen'],
  ['Protocol Buffers', 'BSD-3-Clause', 'https://github.com/protocolbuffers/protobuf/blob/main/LICENSE'],
  ['XNNPACK', 'BSD-3-Clause', 'https://github.com/google/XNNPACK/blob/master/LICENSE'],
  ['cpuinfo, pthreadpool', 'BSD-2-Clause', 'https://github.com/pytorch/cpuinfo/blob/main/LICENSE'],
  ['FP16, FXdiv, FarmHash', 'MIT', 'https://github.com/google/farmhash/blob/master/COPYING'],
  ['Emscripten and musl', 'MIT', 'https://github.com/emscripten-core/emscripten/blob/main/LICENSE'],
] as const;

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

export function licencesOfThePage(): Plugin {
  return {
    name: 'licences-of-the-page',
    apply: 'build',
    generateBundle() {
      if (this.environment.name !== 'client') return;
      const locked: Record<string, Locked> = JSON.parse(readFileSync('package-lock.json', 'utf-8')).packages;
      this.emitFile({type: 'asset', fileName: 'LICENSES.txt', source: licences(locked, readFileSync('../LICENSE', 'utf-8'))});
    },
  };
}

/** @param locked the packages of a lock file; those for development are not part of the page */
export function licences(locked: Readonly<Record<string, Locked>>, apache: string): string {
  const packages = Object.entries(locked).filter(([path, {dev}]) => path && !dev).map(([path, {version, license}]) => {
    const name = path.replace(/^.*node_modules\//, '');
    if (license !== 'Apache-2.0') throw new Error(`add the terms of ${name} (${license}) to tools/licences.ts`);
    return `- ${name} ${version}: ${license}`;
  });
  return [
    'The page and these packages in it are under the Apache License 2.0, whose text is below.',
    packages.join('\n'),
    "LiteRT's WebAssembly, a part of @litertjs/core, contains libraries with terms of their own:",
    INSIDE_LITERT.map(([names, license, address]) => `- ${names}: ${license}, ${address}`).join('\n'),
    'The models have terms of their own too: see models/LICENSE.md.',
    apache,
  ].join('\n\n');
}
