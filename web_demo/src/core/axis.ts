/** Bilinear interpolation along one axis in fixed point, by the rule of the Android app (`ResamplingAxis.kt`). */

export const FRACTION_BITS = 11;
export const ONE = 1 << FRACTION_BITS;

/** For each output position the index of its first sample, and the weight of the next one, 0 to `ONE`. */
export interface Axis {
  readonly samples: Int32Array;
  readonly weights: Int32Array;
}

/**
 * @param count number of output positions
 * @param start start of the output, in samples: the centre of the first sample is at 0.5
 * @param end end of the output, in samples; less than `start` to flip the axis
 * @param samples number of samples; those at the edges are replicated
 */
export function makeAxis(count: number, start: number, end: number, samples: number): Axis {
  const axis = {samples: new Int32Array(count), weights: new Int32Array(count)};
  for (let index = 0; index < count; index++) {
    const place = start + ((index + 0.5) * (end - start)) / count - 0.5;
    const fixed = Math.round(Math.min(Math.max(place, 0), samples - 1) * ONE);
    axis.samples[index] = fixed >>> FRACTION_BITS;
    axis.weights[index] = fixed & (ONE - 1);
  }
  return axis;
}
