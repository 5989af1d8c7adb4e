/** Label maps to colours with smooth borders, by the rule that Python and the Android app share (`LabelColorizer.kt`). */

import {type Axis, makeAxis, ONE} from './axis';
import {LabelError, type LabelMap} from './labels';
import type {LabelSet} from './spec';

/**
 * Draws label maps of one size as RGBA pictures of another.
 *
 * This is the class with the most weight after bilinear upsampling of the one-hot map, the lowest of equals, found from
 * the four labels around a pixel.
 */
export class LabelColorizer {
  /** How opaque the colours are, 0 to 1. */
  opacity = 1;
  /** The only class to show; all of them if undefined. */
  only: number | undefined;
  private readonly across: Axis;
  private readonly down: Axis;
  private readonly classes: Int32Array;

  constructor(
    readonly set: LabelSet,
    readonly mapWidth: number,
    readonly mapHeight: number,
    readonly width: number,
    readonly height: number,
  ) {
    this.across = makeAxis(width, 0, mapWidth, mapWidth);
    this.down = makeAxis(height, 0, mapHeight, mapHeight);
    this.classes = new Int32Array(mapWidth * mapHeight);
  }

  /** @param pixels `height * width` words of RGBA as they lie in memory, transparent where there is no class */
  draw(map: LabelMap, pixels: Uint32Array): void {
    this.readClasses(map);
    const colors = this.colors();
    for (let y = 0; y < this.height; y++) this.drawRow(y, colors, pixels);
  }

  private drawRow(y: number, colors: Uint32Array, pixels: Uint32Array): void {
    const {classes, across, mapWidth} = this;
    const upper = this.down.samples[y] * mapWidth;
    const lower = Math.min(this.down.samples[y] + 1, this.mapHeight - 1) * mapWidth;
    const below = this.down.weights[y];
    let at = y * this.width;
    for (let x = 0; x < this.width; x++) {
      const left = across.samples[x];
      const right = Math.min(left + 1, mapWidth - 1);
      const [a, b] = [classes[upper + left], classes[upper + right]];
      const [c, d] = [classes[lower + left], classes[lower + right]];
      const isUniform = a === b && a === c && a === d;
      pixels[at++] = colors[isUniform ? a : winner(a, b, c, d, across.weights[x], below)];
    }
  }

  private readClasses(map: LabelMap): void {
    const count = this.set.names.length;
    for (let index = 0; index < this.classes.length; index++) {
      const label = map.labels[index];
      if (label >= 0 && label < count) this.classes[index] = label;
      else if (label === this.set.ignoreIndex) this.classes[index] = count;
      else throw new LabelError(label, count);
    }
  }

  /** The word of each class, and of the ignore index behind them. */
  private colors(): Uint32Array {
    const alpha = Math.round(Math.min(Math.max(this.opacity, 0), 1) * 255);
    const bytes = new Uint8Array((this.set.names.length + 1) * 4);
    this.set.palette.forEach((rgb, index) => {
      if (this.only === undefined || this.only === index) bytes.set([...rgb, alpha], index * 4);
    });
    return new Uint32Array(bytes.buffer);
  }
}

/** The class with the greatest weight, the lowest of equals: `a` and `b` above, `c` and `d` below. */
function winner(a: number, b: number, c: number, d: number, right: number, below: number): number {
  const ofA = (ONE - right) * (ONE - below);
  const ofB = right * (ONE - below);
  const ofC = (ONE - right) * below;
  const ofD = right * below;
  let best = a;
  let most = -1;
  for (let corner = 0; corner < 4; corner++) {
    const label = corner === 0 ? a : corner === 1 ? b : corner === 2 ? c : d;
    const sum =
      (label === a ? ofA : 0) + (label === b ? ofB : 0) + (label === c ? ofC : 0) + (label === d ? ofD : 0);
    if (sum > most || (sum === most && label < best)) {
      best = label;
      most = sum;
    }
  }
  return best;
}
