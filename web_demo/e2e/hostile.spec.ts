/** Pairs that are not what they say: each is refused with a remedy, and the model before goes on. */

import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {expect, type Page, test} from '@playwright/test';

import {facts} from './facts';
import {labelsAfter, open} from './page';

const model = readFileSync(facts.small.tflite);
const description = JSON.parse(readFileSync(facts.small.json, 'utf-8'));
const {input, output, label_set: set} = description;

const half = model.subarray(0, model.length / 2);
const rootless = Buffer.from(model);
rootless.fill(0xff, 0, 4);

test('pairs that lie are refused', async ({page}) => {
  await open(page, facts.url);
  const shipped = await page.locator('#model').inputValue();
  const before = await segment(page);
  const lies: [content: Buffer, changes: object, message: RegExp][] = [
    [model, {input: {...input, dtype: 'uint8'}}, /float32: convert it with --input float32/],
    [model, {input: {...input, shape: [1, -1, -1, 3]}}, /without --resizable/],
    [model, {output: {...output, kind: 'probabilities'}}, /returns probabilities.*without --output-kind/],
    [model, {precision: 'int8_mcu'}, /precision int8_mcu/],
    [model, {input: {...input, shape: [1, 64, 64, 3]}, output: {...output, shape: [1, 16, 16]}}, /something else/],
    [model, {output: {kind: 'labels_full', dtype: 'int32', shape: [1, 128, 128]}}, /something else/],
    [model, {output: {kind: 'logits', dtype: 'float32', shape: [1, 32, 32, set.names.length]}}, /something else/],
    [half, {}, /cannot be loaded/],
    [rootless, {}, /cannot be loaded/],
  ];
  for (const [content, changes, message] of lies) {
    await give(page, content, changes);
    await expect(page.locator('#status')).toHaveText(message);
    await expect(page.locator('#model')).toHaveValue(shipped);
  }
  expect(await segment(page)).toEqual(before);
});

test('labels without a name are an error, and another model can be chosen', async ({page}) => {
  await open(page, facts.url);
  const shipped = await page.locator('#model').inputValue();
  await give(page, model, {label_set: {...set, names: set.names.slice(0, 1), palette: set.palette.slice(0, 1)}});
  await expect(page.locator('#status')).toContainText('Imported');
  await page.setInputFiles('#pictureFile', facts.picture);
  await expect(page.locator('#status')).toContainText('classes that it does not have');
  await page.selectOption('#model', shipped);
  await expect(page.locator('#facts')).toContainText('512');
  expect(await segment(page)).toContain(1);
});

const segment = (page: Page) => labelsAfter(page, () => page.setInputFiles('#pictureFile', facts.picture));

/** Imports a pair whose files belong together. */
async function give(page: Page, content: Buffer, changes: object): Promise<void> {
  const identity = {bytes: content.length, sha256: createHash('sha256').update(content).digest('hex')};
  const text = JSON.stringify({...description, ...identity, ...changes});
  await page.setInputFiles('#modelFiles', [
    {name: 'lie.tflite', mimeType: '', buffer: Buffer.from(content)},
    {name: 'lie.json', mimeType: '', buffer: Buffer.from(text)},
  ]);
}
