/** What can be done on the page. */

import {readFileSync} from 'node:fs';
import {expect, type Locator, type Page, test} from '@playwright/test';

import {Geometry} from '../src/core/geometry';
import {facts, labelsIn} from './facts';
import {agreement, complaintsOf, importSmall, labelsAfter, open} from './page';

test.describe.configure({mode: 'serial'});

let page: Page;
let complaints: string[];

test.beforeAll(async ({browser}) => {
  page = await browser.newPage();
  complaints = complaintsOf(page);
  await open(page, facts.url);
});

test.afterAll(async () => {
  expect(complaints).toEqual([]);
  await page.close();
});

const choose = () => labelsAfter(page, () => page.setInputFiles('#pictureFile', facts.picture));

test('refuses pairs that do not match, and pairs that are none', async () => {
  const shipped = (await page.locator('#model option').allTextContents()).join();
  const {tflite, json} = facts.small;
  const other = {name: 'other.tflite', mimeType: '', buffer: Buffer.from(readFileSync(tflite))};
  other.buffer[other.buffer.length - 1] ^= 1;
  const description = {name: 'other.json', mimeType: '', buffer: readFileSync(json)};
  await page.setInputFiles('#modelFiles', [other, description]);
  await expect(page.locator('#status')).toContainText('do not belong together');
  await page.setInputFiles('#modelFiles', [tflite]);
  await expect(page.locator('#status')).toContainText('Choose two files together');
  await page.setInputFiles('#modelFiles', [other, {...description, buffer: Buffer.from('{}')}]);
  await expect(page.locator('#status')).toContainText('no usable "label_set.names"');
  expect((await page.locator('#model option').allTextContents()).join()).toBe(shipped);
});

test('imports the pair of the user, which runs as in Python', async () => {
  await importSmall(page);
  await expect(page.locator('#model')).toHaveValue('small');
  await expect(page.locator('#facts')).toContainText('not for commercial use');
  const share = agreement(await choose(), labelsIn(facts.small.labels));
  console.log(`small float16 model: Chromium and Python agree on ${share.toFixed(4)} of the labels`);
  expect(share).toBeGreaterThanOrEqual(0.99);
});

test('runs on the GPU once that agrees with WebAssembly', async () => {
  await expect(page.locator('#processorUsed')).toContainText('emulated by the CPU');
  const labels = await labelsAfter(page, () => page.selectOption('#processor', 'webgpu'));
  await expect(page.locator('#processorUsed')).toHaveText(/Runs on the GPU: (100\.0|99\.\d)% of the labels agree/);
  expect(agreement(labels, labelsIn(facts.small.labels))).toBeGreaterThanOrEqual(0.99);
  await labelsAfter(page, () => page.selectOption('#processor', 'wasm'));
  await expect(page.locator('#processorUsed')).toContainText('Runs on the CPU');
});

test('takes pictures by drop and by paste, and says what is none', async () => {
  const give = (kind: 'drop' | 'paste', type: string, bytes: number[]) =>
    page.evaluate(([kind, type, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes as number[])], 'picture', {type: type as string}));
      const target = kind === 'drop' ? document.getElementById('stage')! : document;
      const options = {bubbles: true, cancelable: true};
      target.dispatchEvent(kind === 'drop'
        ? new DragEvent('drop', {...options, dataTransfer: data})
        : new ClipboardEvent('paste', {...options, clipboardData: data}));
    }, [kind, type, bytes] as const);
  const picture = [...readFileSync(facts.picture)];
  const expected = labelsIn(facts.small.labels);
  for (const kind of ['drop', 'paste'] as const) {
    expect(agreement(await labelsAfter(page, () => give(kind, 'image/jpeg', picture)), expected)).toBeGreaterThan(0.99);
  }
  await give('drop', 'image/jpeg', [1, 2, 3]);
  await expect(page.locator('#status')).toContainText('not a picture');
});

test('names the class at a point, by click and by keys, and shows one class alone', async () => {
  const view = page.locator('#view');
  const {width, height} = (await view.boundingBox())!;
  await view.click({position: {x: width * 0.5, y: height * 0.7}});
  await expect(page.locator('#named')).toHaveText(expectedClass(width / height, 0.5, 0.7));
  for (const [x, y] of [[0.001, 0.001], [0.999, 0.001], [0.001, 0.999]]) {
    await view.click({position: {x: width * x, y: height * y}});
    const [name, stage] = [await boxOf(page.locator('#named')), await boxOf(page.locator('#stage'))];
    expect(name.x).toBeGreaterThanOrEqual(stage.x);
    expect(name.x + name.width).toBeLessThanOrEqual(stage.x + stage.width);
    expect(name.y).toBeGreaterThanOrEqual(stage.y);
    expect(name.y + name.height).toBeLessThanOrEqual(stage.y + stage.height);
  }
  await view.press('ArrowUp');
  await expect(page.locator('#named')).toBeVisible();
  await view.press('Escape');
  await expect(page.locator('#named')).toBeHidden();

  const alpha = () => page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#view')!;
    return canvas.toDataURL('image/jpeg', 0.2).length;
  });
  const road = page.locator('#legend button', {hasText: 'Road'});
  await expect(road.locator('.share')).toHaveText(/^\d+\.\d%$/);
  const before = await alpha();
  await road.press('Enter');
  await expect(road).toHaveAttribute('aria-pressed', 'true');
  expect(await alpha()).not.toBe(before);
  await road.press('Enter');
  expect(await alpha()).toBe(before);
});

test('speaks Korean', async () => {
  await page.locator('#language').click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await expect(page.locator('#legend')).toContainText('도로');
  await expect(page.locator('#picture')).toHaveText('사진');
  await page.locator('#language').click();
  await expect(page.locator('#legend')).toContainText('Road');
});

test('saves the picture', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
  expect(download.suggestedFilename()).toMatch(/^segmented-.*\.png$/);
  const content = readFileSync(await download.path());
  expect(content.subarray(1, 4).toString()).toBe('PNG');
  expect(content.length).toBeGreaterThan(10_000);
});

const boxOf = async (locator: Locator) => (await locator.boundingBox())!;

/** The name of the class at a point of a picture of this aspect ratio, by Python's labels. */
function expectedClass(aspect: number, x: number, y: number): string {
  const {label_set: set, output} = JSON.parse(readFileSync(facts.small.json, 'utf-8'));
  const [, height, width] = output.shape;
  const {content} = new Geometry({width: Math.round(aspect * 1000), height: 1000}, {width, height});
  const column = Math.floor(content.left + x * (content.right - content.left));
  const row = Math.floor(content.top + y * (content.bottom - content.top));
  return set.names[labelsIn(facts.small.labels)[row * width + column]];
}
