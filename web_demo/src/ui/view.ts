/** The picture under its colours, on a canvas; a mask is only drawn over the picture that it was computed from. */

import {LabelColorizer} from '../core/colouring';
import type {Box} from '../core/geometry';
import type {LabelMap} from '../core/labels';
import type {LabelSet} from '../core/spec';

const LONGEST_SIDE = 1920;
const LONGEST_MASK_SIDE = 1024;

export interface Shown {
  readonly picture: ImageBitmap;
  readonly mirror: boolean;
  readonly map: LabelMap;
  readonly content: Box;
  readonly set: LabelSet;
}

export class View {
  opacity = 0.6;
  only: number | undefined;
  private readonly context: CanvasRenderingContext2D;
  private readonly mask = document.createElement('canvas');
  private colorizer: LabelColorizer | undefined;
  private pixels = new ImageData(1, 1);
  private shown: Shown | undefined;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d')!;
  }

  get current(): Shown | undefined {
    return this.shown;
  }

  /** Shows a picture, which belongs to the view from now on. */
  show(shown: Shown): void {
    if (this.shown?.picture !== shown.picture) this.shown?.picture.close();
    this.shown = shown;
    this.draw();
  }

  /** Draws again, after the opacity or the class to show was changed. */
  draw(): void {
    if (!this.shown) return;
    const {picture, mirror, map} = this.shown;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    this.fit(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
    this.drawMask(map);
    const {context, canvas} = this;
    context.save();
    if (mirror) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    context.restore();
    const {left, top, right, bottom} = this.shown.content;
    const across = this.mask.width / map.width;
    const down = this.mask.height / map.height;
    context.drawImage(
      this.mask, left * across, top * down, (right - left) * across, (bottom - top) * down,
      0, 0, canvas.width, canvas.height,
    );
  }

  /** The class at a point of the canvas, in 0..1 of its sides; undefined where there is none. */
  classAt(x: number, y: number): number | undefined {
    if (!this.shown) return undefined;
    const {map, content, set} = this.shown;
    const column = Math.floor(content.left + x * (content.right - content.left));
    const row = Math.floor(content.top + y * (content.bottom - content.top));
    const label = map.labels[Math.min(row, map.height - 1) * map.width + Math.min(column, map.width - 1)];
    return label < set.names.length ? label : undefined;
  }

  toBlob(): Promise<Blob> {
    return new Promise((resolve, reject) =>
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('toBlob'))), 'image/png'));
  }

  private fit(width: number, height: number): void {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.canvas.style.setProperty('--ratio', String(width / height));
  }

  private drawMask(map: LabelMap): void {
    const colorizer = this.colorizerFor(map);
    colorizer.opacity = this.opacity;
    colorizer.only = this.only;
    colorizer.draw(map, new Uint32Array(this.pixels.data.buffer));
    this.mask.getContext('2d')!.putImageData(this.pixels, 0, 0);
  }

  /** Colours at the size of the canvas, where that is not too large. */
  private colorizerFor(map: LabelMap): LabelColorizer {
    const {content, set} = this.shown!;
    const wanted = Math.max(
      this.canvas.width / (content.right - content.left), this.canvas.height / (content.bottom - content.top));
    const most = LONGEST_MASK_SIDE / Math.max(map.width, map.height);
    const scale = Math.max(1, Math.min(wanted, most));
    const width = Math.round(map.width * scale);
    const height = Math.round(map.height * scale);
    const old = this.colorizer;
    const fits = old?.set === set && old.width === width && old.height === height && old.mapWidth === map.width;
    if (!fits) {
      this.colorizer = new LabelColorizer(set, map.width, map.height, width, height);
      this.pixels = new ImageData(width, height);
      Object.assign(this.mask, {width, height});
    }
    return this.colorizer!;
  }
}
