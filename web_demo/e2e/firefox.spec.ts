/** The page in the Firefox of the system, which Playwright does not drive: WebDriver BiDi by Puppeteer. */

import {expect, test} from '@playwright/test';
import puppeteer, {type Browser, type ElementHandle, type Page, TimeoutError} from 'puppeteer-core';

import type {SegmentedDetail} from '../src/app';
import {facts, labelsIn} from './facts';
import {Host} from './host';
import {agreement} from './page';
import {Recorder} from './recorder';

const TIMEOUT = 60_000;
/**
 * While a driver listens to workers, as all that speak BiDi do, a worker of Firefox that makes others waits for good in
 * one of about twelve visits; without a driver it never did in 120.
 */
const VISITS = 3;
/** Its settings and updates. */
const FIREFOX_ITSELF = /\.mozilla\.(com|org|net)(:443)?(\/|$)/;

let recorder: Recorder;
let browser: Browser;
let page: Page;
let complaints: string[];

test.setTimeout(600_000);

test.beforeAll(async () => {
  recorder = await Recorder.start();
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: facts.firefox,
    extraPrefsFirefox: {
      ...recorder.preferencesOfFirefox,
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
    },
  });
});

test.afterAll(async () => {
  await browser.close();
  await recorder.stop();
});

test.beforeEach(async () => {
  complaints = [];
});

test('segments as Python does, with threads and relaxed SIMD, and again without the host', async () => {
  const host = await Host.start(facts.url);
  await open(host.url);
  const labels = await segment();
  const share = agreement(labels, labelsIn(facts.labels));
  console.log(`dynamic INT8 model: Firefox and Python agree on ${share.toFixed(4)} of the labels`);
  expect(share).toBeGreaterThanOrEqual(0.985); // as in Chromium
  expect(host.paths.filter((path) => path.endsWith('.packed'))).toEqual(['/litert/litert_wasm_threaded_internal.wasm.packed']);
  expect(await textOf('#processorUsed')).toContain('threads');

  await upload('#modelFiles', facts.small.tflite, facts.small.json);
  await statusIs('Imported small');
  const small = agreement(await segment(), labelsIn(facts.small.labels));
  console.log(`small float16 model: Firefox and Python agree on ${small.toFixed(4)} of the labels`);
  expect(small).toBeGreaterThanOrEqual(0.99);

  await host.stop();
  await open(host.url);
  expect(await segment()).toEqual(labels);
  expect(complaints).toEqual([]);
  expect(recorder.addresses.filter((address) => !FIREFOX_ITSELF.test(address))).toEqual([]);
});

test('follows the camera', async () => {
  await open(facts.url);
  await page.click('#camera');
  for (let count = 0; count < 5; count++) await segmented();
  await page.click('#camera');
  await page.waitForSelector('#freeze', {hidden: true});
  expect(complaints).toEqual([]);
});

/** Visits the page in a tab of its own, again where its worker waits. */
async function open(url: string): Promise<void> {
  for (let visit = 1; ; visit++) {
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(url);
    try {
      return await ready();
    } catch (error) {
      if (visit === VISITS || !(error instanceof TimeoutError)) throw error;
      console.log(`visit ${visit}: the page was not ready after ${TIMEOUT / 1000} s`);
      await page.close();
    }
  }
}

async function ready(): Promise<void> {
  await page.waitForSelector('#picture:not([disabled])', {timeout: TIMEOUT});
  await page.waitForFunction(() => document.getElementById('status')!.textContent === '', {timeout: TIMEOUT});
}

async function segment(): Promise<number[]> {
  const result = segmented();
  await upload('#pictureFile', facts.picture);
  return result;
}

/** The labels of the next picture. */
function segmented(): Promise<number[]> {
  return page.evaluate(() => new Promise<number[]>((resolve) => {
    const listener = (event: Event) => resolve(Array.from((event as CustomEvent<SegmentedDetail>).detail.labels));
    window.addEventListener('segmented', listener, {once: true});
  }));
}

async function upload(selector: string, ...files: string[]): Promise<void> {
  const input = (await page.$(selector)) as ElementHandle<HTMLInputElement>;
  await input.uploadFile(...files);
}

async function statusIs(text: string): Promise<void> {
  const contains = (text: string) => document.getElementById('status')!.textContent!.includes(text);
  await page.waitForFunction(contains, {timeout: TIMEOUT}, text);
}

function textOf(selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent!);
}
