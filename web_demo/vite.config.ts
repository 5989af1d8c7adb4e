import {defineConfig} from 'vitest/config';

import {licencesOfThePage} from './tools/licences.ts';
import {filesOfLiteRt} from './tools/litert.ts';
import {hashedManifest} from './tools/manifest.ts';
import {securityPolicy} from './tools/policy.ts';

export default defineConfig({
  base: './', // wherever the folder is put
  plugins: [securityPolicy(), filesOfLiteRt(), licencesOfThePage(), hashedManifest()],
  worker: {format: 'iife'}, // LiteRT.js calls importScripts, which module workers do not have
  build: {
    outDir: '../keras_segformer/web_page', // where the wheel takes it from
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    rollupOptions: {
      input: {index: 'index.html', sw: 'src/sw.ts'},
      output: {entryFileNames: ({name}) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js')},
    },
  },
  test: {include: ['tests/*.test.ts']},
});
