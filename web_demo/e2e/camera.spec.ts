/** The camera, and what it costs to leave it on. */

import {readFileSync} from 'node:fs';
import {expect, type Page, test} from '@playwright/test';

import {facts} from './facts';
import {complaintsOf, frames, importSmall, open} from './page';

/** Bytes over 500 frames; the input of each takes 0.2 MB, and its picture 0.9 MB. */
const MOST_GROWTH = 40e6;

test('follows the camera until it is frozen, and its memory stays flat', async ({page}) => {
  const complaints = complaintsOf(page);
  await open(page, facts.url);
  await importSmall(page); // small inputs, so that 500 frames take less than a minute
  await page.locator('#camera').click();
  await frames(page, 10);
  await replaceVideoFrames(page);
  await frames(page, 100);
  const before = await memoryInUse(page);
  await frames(page, 500);
  const growth = (await memoryInUse(page)) - before;
  console.log(`memory grew by ${(growth / 1e6).toFixed(1)} MB over 500 frames`);
  expect(growth).toBeLessThan(MOST_GROWTH);
  await expect(page.locator('#times')).toContainText('Pictures per second');
  await page.locator('#freeze').click();
  await page.waitForTimeout(300);
  const isStill = await page.evaluate(() => new Promise((resolve) => {
    window.addEventListener('segmented', () => resolve(false), {once: true});
    setTimeout(() => resolve(true), 500);
  }));
  expect(isStill).toBe(true);
  await page.locator('#freeze').click();
  await frames(page, 2);
  await page.locator('#flip').dispatchEvent('click'); // hidden, because there is one fake camera
  await frames(page, 10);
  await page.locator('#camera').click();
  await expect(page.locator('#camera')).toHaveText('Camera');
  await expect(page.locator('#freeze')).toBeHidden();
  expect(complaints).toEqual([]);
});

/** Chromium itself keeps hundreds of drawn frames of a video, which would hide what the page keeps. */
async function replaceVideoFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const make = globalThis.createImageBitmap.bind(globalThis);
    globalThis.createImageBitmap = ((source: ImageBitmapSource, options?: ImageBitmapOptions) =>
      make(source instanceof HTMLVideoElement ? new ImageData(640, 360) : source, options)) as typeof createImageBitmap;
  });
}

/** What the processes of this browser have in memory without garbage and without files, shared pages in parts. */
async function memoryInUse(page: Page): Promise<number> {
  const collect = () => (globalThis as {gc?(): void}).gc!();
  await page.evaluate(collect);
  await page.workers().find((worker) => worker.url().includes('worker-'))!.evaluate(collect); // LiteRT's threads wait
  await page.waitForTimeout(500);
  return descendants(process.pid).reduce((sum, pid) => sum + proportionalSize(pid), 0);
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf-8').trim().split(' ').filter(Boolean);
  return children.flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

function proportionalSize(pid: number): number {
  try {
    const sizes = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf-8');
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(sizes)?.[1] ?? 0) * 1024;
    return bytes('Pss') - bytes('Pss_File'); // pages of programs come and go with what else runs
  } catch {
    return 0; // it has ended
  }
}
