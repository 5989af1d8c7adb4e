import {expect, test} from 'vitest';

import {licences} from '../tools/licences';

const runtime = {version: '2.5.3', license: 'Apache-2.0'};

test('packages of the page are named, those for development are not', () => {
  const locked = {'': {version: '1'}, 'node_modules/@litertjs/core': runtime, 'node_modules/vite': {version: '8', dev: true}};
  const text = licences(locked, 'TEXT OF THE LICENCE');
  expect(text).toContain('- @litertjs/core 2.5.3: Apache-2.0');
  expect(text).not.toContain('vite');
  expect(text).toContain('XNNPACK: BSD-3-Clause');
  expect(text).toContain('TEXT OF THE LICENCE');
});

test('a package of other terms stops the build', () => {
  expect(() => licences({'node_modules/other': {version: '1', license: 'GPL-3.0'}}, '')).toThrow('add the terms of other');
});
