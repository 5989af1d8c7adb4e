/** Where a picture lies in the model's input: the rule that Python and the Android app share (`FrameGeometry.kt`). */

import {type Axis, makeAxis} from './axis';

export type Rotation = 0 | 90 | 180 | 270;

/** `CROP` fills the input with the middle of the picture, `FIT` shows all of it between bars. */
export type Framing = 'CROP' | 'FIT';

/** A rectangle in pixels; right and bottom are exclusive. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** RGB of the bars of `FIT`: the mean of ImageNet, which becomes zero by normalisation. */
export const PADDING = [124, 116, 104] as const;

/**
 * The mapping from the pixels of a frame to the model's input.
 *
 * The frame is turned clockwise by `rotation` and then, with `mirror`, flipped horizontally, which gives the upright
 * picture. Its part `source` is scaled into the part `content` of the input.
 */
export class Geometry {
  readonly upright: Size;
  readonly source: Box;
  readonly content: Box;

  constructor(
    readonly frame: Size,
    readonly tensor: Size,
    readonly rotation: Rotation = 0,
    readonly mirror = false,
    readonly framing: Framing = 'FIT',
  ) {
    const {width, height} = frame;
    this.upright = rotation % 180 === 0 ? {width, height} : {width: height, height: width};
    this.source = framing === 'FIT' ? whole(this.upright) : middle(this.upright, tensor);
    this.content = framing === 'FIT' ? fitted(this.upright, tensor) : whole(tensor);
  }

  /** The axis from the columns of the content to samples of the upright picture. */
  across(): Axis {
    return makeAxis(
      this.content.right - this.content.left, this.source.left, this.source.right, this.upright.width);
  }

  /** The axis from the rows of the content to samples of the upright picture. */
  down(): Axis {
    return makeAxis(
      this.content.bottom - this.content.top, this.source.top, this.source.bottom, this.upright.height);
  }
}

/** The index in the frame of each step along the upright picture: `offset + x * across + y * down`. */
export function uprightSteps({frame, rotation, mirror}: Geometry): {offset: number; across: number; down: number} {
  const {width, height} = frame;
  const last = width * height - 1;
  const [offset, across, down] = {
    0: [0, 1, width],
    90: [width * (height - 1), -width, 1],
    180: [last, -1, -width],
    270: [width - 1, width, -1],
  }[rotation] as [number, number, number];
  if (!mirror) return {offset, across, down};
  const columns = rotation % 180 === 0 ? width : height;
  return {offset: offset + across * (columns - 1), across: -across, down};
}

function isWider(picture: Size, tensor: Size): boolean {
  return picture.width * tensor.height > picture.height * tensor.width;
}

function whole({width, height}: Size): Box {
  return {left: 0, top: 0, right: width, bottom: height};
}

function middle(picture: Size, tensor: Size): Box {
  const wider = isWider(picture, tensor);
  const width = wider ? (picture.height * tensor.width) / tensor.height : picture.width;
  const height = wider ? picture.height : (picture.width * tensor.height) / tensor.width;
  const left = (picture.width - width) / 2;
  const top = (picture.height - height) / 2;
  return {left, top, right: left + width, bottom: top + height};
}

function fitted(picture: Size, tensor: Size): Box {
  const wider = isWider(picture, tensor);
  const scaled = (side: number, numerator: number, denominator: number) =>
    Math.max(1, Math.round((side * numerator) / denominator));
  const width = wider ? tensor.width : scaled(picture.width, tensor.height, picture.height);
  const height = wider ? scaled(picture.height, tensor.width, picture.width) : tensor.height;
  const left = Math.floor((tensor.width - width) / 2);
  const top = Math.floor((tensor.height - height) / 2);
  return {left, top, right: left + width, bottom: top + height};
}
