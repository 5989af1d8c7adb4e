/** Pictures to the model's input, by the rule that Python and the Android app share (`PictureToInput.kt`). */

import {FRACTION_BITS, ONE} from './axis';
import {Geometry, PADDING, type Size, uprightSteps} from './geometry';

const ROW_BITS = 2 * FRACTION_BITS;
const ROUNDING = 1 << (ROW_BITS - 1);

/** RGBA, not premultiplied, row by row: what `CanvasRenderingContext2D.getImageData` returns. */
export interface Pixels extends Size {
  readonly data: Uint8ClampedArray;
}

/** What `pictureToInput` works in, and uses again for the next frame. */
let rgb = new Uint8Array(0);

/**
 * Writes the model's input `(height, width, 3)`, whole numbers 0..255: transparent pixels over white, bilinear, and
 * bars around the picture.
 */
export function pictureToInput(pixels: Pixels, geometry: Geometry, input: Float32Array): void {
  const {content, tensor} = geometry;
  putOverWhite(pixels.data);
  const across = geometry.across();
  const down = geometry.down();
  const {offset, across: column, down: row} = uprightSteps(geometry);
  const lastColumn = geometry.upright.width - 1;
  const lastRow = geometry.upright.height - 1;
  pad(geometry, input);
  for (let y = 0; y < down.samples.length; y++) {
    const first = down.samples[y];
    const upper = offset + first * row;
    const lower = offset + Math.min(first + 1, lastRow) * row;
    const below = down.weights[y];
    const above = ONE - below;
    let at = ((content.top + y) * tensor.width + content.left) * 3;
    for (let x = 0; x < across.samples.length; x++) {
      const left = across.samples[x] * column;
      const right = Math.min(across.samples[x] + 1, lastColumn) * column;
      const toRight = across.weights[x];
      const toLeft = ONE - toRight;
      const a = (upper + left) * 3;
      const b = (upper + right) * 3;
      const c = (lower + left) * 3;
      const d = (lower + right) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const atLeft = rgb[a + channel] * above + rgb[c + channel] * below;
        const atRight = rgb[b + channel] * above + rgb[d + channel] * below;
        input[at++] = (atLeft * toLeft + atRight * toRight + ROUNDING) >> ROW_BITS;
      }
    }
  }
}

/**
 * The largest power of two by which a picture can be reduced with both sides at least as long as the input's: what
 * remains for the bilinear scaling is a factor below two in one direction, which avoids aliasing.
 */
export function reductionFor(picture: Size, tensor: Size): number {
  let factor = 1;
  while (picture.width / (2 * factor) >= tensor.width && picture.height / (2 * factor) >= tensor.height) factor *= 2;
  return factor;
}

/** Averages squares of `factor` pixels, as `Image.reduce` of Pillow does; squares at the edges are cut off. */
export function reduce(pixels: Pixels, factor: number): Pixels {
  if (factor === 1) return pixels;
  const width = Math.ceil(pixels.width / factor);
  const height = Math.ceil(pixels.height / factor);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) average(pixels, factor, x, y, data, (y * width + x) * 4);
  }
  return {width, height, data};
}

function average({width, height, data}: Pixels, factor: number, x: number, y: number, into: Uint8ClampedArray, at: number) {
  const right = Math.min((x + 1) * factor, width);
  const bottom = Math.min((y + 1) * factor, height);
  let [red, green, blue, alpha, count] = [0, 0, 0, 0, 0];
  for (let row = y * factor; row < bottom; row++) {
    for (let column = x * factor; column < right; column++) {
      const from = (row * width + column) * 4;
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
      alpha += data[from + 3];
      count++;
    }
  }
  into[at] = Math.floor(red / count + 0.5);
  into[at + 1] = Math.floor(green / count + 0.5);
  into[at + 2] = Math.floor(blue / count + 0.5);
  into[at + 3] = Math.floor(alpha / count + 0.5);
}

function putOverWhite(rgba: Uint8ClampedArray): void {
  const length = (rgba.length / 4) * 3;
  if (rgb.length !== length) rgb = new Uint8Array(length);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3];
    const white = 255 * (255 - alpha) + 127;
    for (let channel = 0; channel < 3; channel++) {
      const value = rgba[from + channel];
      rgb[to++] = alpha === 255 ? value : Math.floor((value * alpha + white) / 255);
    }
  }
}

function pad({content, tensor}: Geometry, input: Float32Array): void {
  const isFilled = content.right - content.left === tensor.width && content.bottom - content.top === tensor.height;
  if (isFilled) return;
  for (let at = 0; at < input.length; at++) input[at] = PADDING[at % 3];
}
