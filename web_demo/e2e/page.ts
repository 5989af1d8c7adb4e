/** What a visitor does. */

import {expect, type Page} from '@playwright/test';

import type {SegmentedDetail} from '../src/app';

/** Collects what the page and its workers complain about. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return complaints;
}

export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await ready(page);
}

export async function ready(page: Page): Promise<void> {
  await expect(page.locator('#picture')).toBeEnabled({timeout: 60_000});
  await expect(page.locator('#status')).toHaveText('');
}

/** The labels of the next picture, once `act` has caused it. */
export async function labelsAfter(page: Page, act: () => Promise<unknown>): Promise<number[]> {
  const result = page.evaluate(() => new Promise<number[]>((resolve) => {
    const listener = (event: Event) => resolve(Array.from((event as CustomEvent<SegmentedDetail>).detail.labels));
    window.addEventListener('segmented', listener, {once: true});
  }));
  await act();
  return result;
}

/** Waits for a number of frames. */
export async function frames(page: Page, count: number): Promise<void> {
  await page.evaluate((count) => new Promise<void>((resolve) => {
    window.addEventListener('segmented', () => --count === 0 && resolve());
  }), count);
}

export function agreement(labels: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (labels.length !== expected.length) throw new Error(`${labels.length} labels instead of ${expected.length}`);
  let same = 0;
  for (let at = 0; at < expected.length; at++) if (labels[at] === expected[at]) same++;
  return same / expected.length;
}
