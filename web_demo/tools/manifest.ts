/** Writes the SHA-256 of every file of the page into the service worker, which accepts no others. */

import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';

import type {Plugin} from 'vite';

const PLACEHOLDER = '"__FILES__"';

export function hashedManifest(): Plugin {
  let folder = '';
  return {
    name: 'hashed-manifest',
    apply: 'build',
    configResolved(config) {
      folder = path.resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const worker = path.join(folder, 'sw.js');
      const source = readFileSync(worker, 'utf-8');
      const quoted = [PLACEHOLDER, "'__FILES__'", '`__FILES__`'].find((each) => source.includes(each));
      if (!quoted) throw new Error('sw.js has no place for the manifest');
      writeFileSync(worker, source.replace(quoted, JSON.stringify(hashes(folder))));
    },
  };
}

function hashes(folder: string): Record<string, string> {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((each) => each.isFile())
    .map((each) => path.relative(folder, path.join(each.parentPath, each.name)).split(path.sep).join('/'))
    .filter((name) => name !== 'sw.js')
    .sort();
  return Object.fromEntries(
    files.map((name) => [name, createHash('sha256').update(readFileSync(path.join(folder, name))).digest('hex')]),
  );
}
