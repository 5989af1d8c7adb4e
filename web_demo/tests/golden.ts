/** The golden data that Python writes (`android_demo/tools/golden_frames.py`) and Kotlin reads too. */

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const FOLDER = new URL('../../android_demo/core/src/test/resources/golden/', import.meta.url);

interface Place {
  offset: number;
  length: number;
}

export class Golden {
  readonly description: any;
  private readonly content: Uint8Array;

  constructor(name: string) {
    this.description = JSON.parse(readFileSync(fileURLToPath(new URL(`${name}.json`, FOLDER)), 'utf-8'));
    this.content = new Uint8Array(readFileSync(fileURLToPath(new URL(`${name}.bin`, FOLDER))));
  }

  bytes({offset, length}: Place): Uint8Array {
    return this.content.slice(offset, offset + length);
  }

  /** Little-endian words. */
  words(place: Place): Int32Array {
    return new Int32Array(this.bytes(place).buffer);
  }
}
