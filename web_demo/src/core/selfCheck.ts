/** Compares an accelerator's labels with those of WebAssembly: it may run every operation and still be wrong. */

import {countClasses, type LabelMap} from './labels';
import {isInteger, type LabelSet, type ModelSpec} from './spec';

const FLOAT_WORST = 0.99;
const INTEGER_WORST = 0.9;
/** For the accelerator's arithmetic, and pictures that are harder than the converter's. */
const MARGIN = 0.01;
const LEAST = 0.8;
/** The share from which on a class may not vanish. */
const SEEN = 0.01;

export interface SelfCheckResult {
  readonly agreement: number;
  readonly threshold: number;
  /** Indices of classes that only WebAssembly finds. */
  readonly vanished: readonly number[];
  readonly passed: boolean;
}

/** The least agreement, from the figures in the JSON file; the rule is that of the Android app (`SelfCheck.kt`). */
export function threshold(spec: ModelSpec): number {
  const worst = spec.worstAgreement ?? (isInteger(spec.precision) ? INTEGER_WORST : FLOAT_WORST);
  return Math.max(worst - MARGIN, LEAST);
}

export function compare(
  accelerated: LabelMap, reference: LabelMap, set: LabelSet, threshold: number,
): SelfCheckResult {
  const total = reference.labels.length;
  const counts = countClasses(reference, set);
  const seen = new Set(accelerated.labels);
  const vanished = [...counts.keys()].filter((index) => counts[index] >= SEEN * total && !seen.has(index));
  let same = 0;
  for (let place = 0; place < total; place++) {
    if (accelerated.labels[place] === reference.labels[place]) same++;
  }
  const agreement = same / total;
  return {agreement, threshold, vanished, passed: agreement >= threshold && vanished.length === 0};
}
