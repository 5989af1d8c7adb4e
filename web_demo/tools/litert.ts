/** Puts LiteRT's WebAssembly into the page: compressed, because many hosts send `.wasm` files as they are. */

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {gzipSync} from 'node:zlib';

import type {Plugin} from 'vite';

const WASM = path.join(path.dirname(createRequire(import.meta.url).resolve('@litertjs/core')), '../wasm');
/** Threads, relaxed SIMD, and what every browser runs; a visitor downloads one of them. */
const VARIANTS = ['litert_wasm_threaded_internal', 'litert_wasm_internal', 'litert_wasm_compat_internal'];

export function filesOfLiteRt(): Plugin {
  return {
    name: 'files-of-litert',
    apply: 'build',
    generateBundle() {
      if (this.environment.name !== 'client') return;
      for (const name of VARIANTS) {
        const script = readFileSync(path.join(WASM, `${name}.js`));
        const wasm = gzipSync(readFileSync(path.join(WASM, `${name}.wasm`)), {level: 9});
        this.emitFile({type: 'asset', fileName: `litert/${name}.js`, source: script});
        // Not `.gz`, which some hosts announce as a content encoding.
        this.emitFile({type: 'asset', fileName: `litert/${name}.wasm.packed`, source: wasm});
      }
    },
  };
}
