import {describe, expect, it} from 'vitest';

import {LabelColorizer} from '../src/core/colouring';
import {classShares, countClasses, LabelError, likeliest} from '../src/core/labels';
import type {LabelSet} from '../src/core/spec';
import {Golden} from './golden';

const golden = new Golden('labels');
const {palette, ignore_index: ignoreIndex, undecided, maps} = golden.description;
const set: LabelSet = {name: '', names: palette.map(String), palette, ignoreIndex};

/** The golden words are ARGB, those of a canvas lie in memory as RGBA. */
function argb(words: Uint32Array): Int32Array {
  const bytes = new Uint8Array(words.buffer);
  return Int32Array.from(words, (_, at) =>
    (bytes[4 * at + 3] << 24) | (bytes[4 * at] << 16) | (bytes[4 * at + 1] << 8) | bytes[4 * at + 2]);
}

describe.each(maps as any[])('a map of $map', (each) => {
  const [width, height] = each.map;
  const map = {width, height, labels: golden.words(each.labels)};

  it('has the colours of Python and Kotlin', () => {
    const colorizer = new LabelColorizer(set, width, height, ...(each.size as [number, number]));
    colorizer.opacity = each.opacity;
    const pixels = new Uint32Array(each.size[0] * each.size[1]);
    colorizer.draw(map, pixels);
    const actual = argb(pixels);
    const expected = golden.words(each.expected);
    const decided = [...expected.keys()].filter((at) => expected[at] !== undecided);
    expect(decided.length).toBeGreaterThan(0.7 * expected.length);
    // A fully transparent pixel has no colour that could be compared.
    const visible = (word: number) => (word >>> 24 === 0 ? 0 : word);
    expect(decided.map((at) => visible(actual[at]))).toEqual(decided.map((at) => visible(expected[at])));
  });

  it('has the shares of Python and Kotlin', () => {
    const counts = countClasses(map, set);
    expect([...counts]).toEqual(each.counts);
    const shares = classShares(counts);
    expect(shares.reduce((sum, {share}) => sum + share, 0)).toBeCloseTo(1);
    expect(shares.map(({share}) => share)).toEqual(shares.map(({share}) => share).sort((a, b) => b - a));
  });
});

it('shows one class alone', () => {
  const colorizer = new LabelColorizer(set, 2, 1, 2, 1);
  colorizer.only = 1;
  const pixels = new Uint32Array(2);
  colorizer.draw({width: 2, height: 1, labels: Int32Array.of(0, 1)}, pixels);
  expect(pixels[0]).toBe(0);
  expect(pixels[1]).not.toBe(0);
});

it('refuses labels that the model does not have', () => {
  const map = {width: 2, height: 1, labels: Int32Array.of(0, set.names.length)};
  expect(() => new LabelColorizer(set, 2, 1, 2, 1).draw(map, new Uint32Array(2))).toThrow(LabelError);
  expect(() => countClasses(map, set)).toThrow(LabelError);
});

it('counts within a part of the map', () => {
  const map = {width: 2, height: 2, labels: Int32Array.of(0, 1, 2, 3)};
  expect([...countClasses(map, set, {left: 0, top: 1, right: 2, bottom: 2})].slice(0, 4)).toEqual([0, 0, 1, 1]);
});

it('takes the likeliest of logits, the first of equals', () => {
  expect([...likeliest(Float32Array.of(1, 3, 3, 5, 2, 0), 2, 1).labels]).toEqual([1, 0]);
  expect([...likeliest(Float32Array.of(-1, 2), 2, 1).labels]).toEqual([0, 1]);
});
