/** Label maps: what the model returns for one picture, and the shares of its classes. */

import type {Box} from './geometry';
import type {LabelSet} from './spec';

/** Class indices, row by row. */
export interface LabelMap {
  readonly width: number;
  readonly height: number;
  readonly labels: Int32Array;
}

export interface ClassShare {
  readonly index: number;
  readonly share: number;
}

/** A label that the model does not have: its processor computes wrong results, or the pair does not match. */
export class LabelError extends Error {
  override readonly name = 'LabelError';

  constructor(readonly label: number, classes: number) {
    super(`The model returned label ${label}, but has ${classes} classes.`);
  }
}

/** Counts the labels of each class within a part of the map; the ignore index counts for none. */
export function countClasses(map: LabelMap, set: LabelSet, part?: Box): Int32Array {
  const counts = new Int32Array(set.names.length);
  const left = Math.max(0, Math.floor(part?.left ?? 0));
  const top = Math.max(0, Math.floor(part?.top ?? 0));
  const right = Math.min(map.width, Math.ceil(part?.right ?? map.width));
  const bottom = Math.min(map.height, Math.ceil(part?.bottom ?? map.height));
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const label = map.labels[y * map.width + x];
      if (label >= 0 && label < counts.length) counts[label]++;
      else if (label !== set.ignoreIndex) throw new LabelError(label, counts.length);
    }
  }
  return counts;
}

/** The classes that occur, by descending share; the shares add up to 1. */
export function classShares(counts: Int32Array): ClassShare[] {
  const total = counts.reduce((sum, each) => sum + each, 0);
  return Array.from(counts, (count, index) => ({index, share: count / total}))
    .filter(({index}) => counts[index] > 0)
    .sort((one, other) => other.share - one.share);
}

/** The most likely class of each place. A model of two classes may return one logit, that of the second class. */
export function likeliest(logits: Float32Array, width: number, height: number): LabelMap {
  const labels = new Int32Array(width * height);
  const channels = logits.length / labels.length;
  for (let place = 0; place < labels.length; place++) {
    if (channels === 1) {
      labels[place] = logits[place] > 0 ? 1 : 0;
      continue;
    }
    let best = 0;
    for (let channel = 1; channel < channels; channel++) {
      if (logits[place * channels + channel] > logits[place * channels + best]) best = channel;
    }
    labels[place] = best;
  }
  return {width, height, labels};
}
