import {defineConfig} from '@playwright/test';

import {facts} from './e2e/facts';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 1,
  // The machine may be busy with other tests.
  timeout: 300_000,
  retries: 2, // the report calls a test flaky that passes then
  expect: {timeout: 30_000},
  reporter: 'line',
  projects: [{name: 'chromium', testIgnore: 'firefox.spec.ts'}, {name: 'firefox', testMatch: 'firefox.spec.ts'}],
  use: {
    permissions: ['camera'],
    viewport: {width: 1280, height: 800},
    launchOptions: {
      executablePath: facts.chromium,
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-component-update',
        '--enable-unsafe-webgpu', // else a software GPU is no adapter
        '--disable-gpu-watchdog', // which takes a software GPU on a busy machine for one that hangs
        '--js-flags=--expose-gc',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${facts.video}`,
      ],
    },
  },
});
