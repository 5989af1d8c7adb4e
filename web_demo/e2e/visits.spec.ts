/** The page as it is visited: what is fetched, what is kept, and what may be reached. */

import {expect, test} from '@playwright/test';

import {facts, labelsIn} from './facts';
import {Host} from './host';
import {agreement, complaintsOf, labelsAfter, open, ready} from './page';

const MOST_BYTES = 10e6;

test('segments as Python does, fetches at most 10 MB from one place, and then works without it', async ({page, context}) => {
  const host = await Host.start(facts.url);
  const complaints = complaintsOf(page);
  const elsewhere: string[] = [];
  context.on('request', (request) => {
    if (!request.url().startsWith(host.url) && !request.url().startsWith('blob:')) elsewhere.push(request.url());
  });
  await open(page, host.url);
  const segment = () => labelsAfter(page, () => page.setInputFiles('#pictureFile', facts.picture));
  const labels = await segment();
  const share = agreement(labels, labelsIn(facts.labels));
  console.log(`Chromium and Python agree on ${share.toFixed(4)} of the labels; ${host.bytes} bytes were sent`);
  // Dynamic INT8 rounds as the kernels of the processor do: .994 where this was measured. Float models reach .99 below.
  expect(share).toBeGreaterThanOrEqual(0.985);
  expect(host.bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(host.paths.filter((path) => path.endsWith('.packed'))).toHaveLength(1);
  await expect(page.locator('#processorUsed')).toContainText('threads');

  await host.stop();
  await page.reload();
  await ready(page);
  expect(await segment()).toEqual(labels);
  expect(complaints.filter((each) => !each.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  expect(elsewhere).toEqual([]);
});

test('a model that loads for long says what to do', async ({page}) => {
  await page.clock.install();
  const host = await Host.start(facts.url);
  host.unanswered = '.packed';
  await page.goto(host.url);
  await expect(page.locator('#status')).toHaveText('Loading the model …');
  await page.clock.fastForward(60_000);
  await expect(page.locator('#status')).toContainText('reload the page');
  host.unanswered = undefined;
  await open(page, host.url);
  await host.stop();
});

test('on a host without headers, threads come with the second visit', async ({page}) => {
  const host = await Host.start(facts.url, true);
  await open(page, host.url);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await expect(page.locator('#processorUsed')).toContainText('Reload the page');
  await page.reload();
  await ready(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await host.stop();
});

test('the policy stops requests to elsewhere, and the service worker files of another build', async ({page, context}) => {
  const other = await Host.start(facts.url);
  await open(page, facts.url);
  const reached = await page.evaluate((url) => fetch(url, {mode: 'no-cors'}).then(() => true, () => false), other.url);
  expect(reached).toBe(false);
  expect(other.paths).toEqual([]);
  await other.stop();

  const changed = await page.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith('page-'))!;
    await (await caches.open(name)).delete('icon.svg');
    return fetch('icon.svg').then(({ok}) => ok, () => false);
  });
  expect(changed).toBe(true);
  await context.route('**/icon.svg', (route) => route.fulfill({body: '<svg/>'}));
  const refused = await page.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith('page-'))!;
    await (await caches.open(name)).delete('icon.svg');
    return fetch('icon.svg').then(() => false, () => true);
  });
  expect(refused).toBe(true);
});
