import {describe, expect, it} from 'vitest';

import {pictureToInput, reduce, reductionFor} from '../src/core/frames';
import {Geometry, PADDING} from '../src/core/geometry';
import {Golden} from './golden';

const golden = new Golden('frames');
const size = ([width, height]: [number, number]) => ({width, height});

function geometryOf(each: any): Geometry {
  return new Geometry(size(each.size), size(each.tensor), each.rotation, each.mirror, each.framing);
}

/** ARGB words in memory are BGRA. */
function rgba(bgra: Uint8Array): Uint8ClampedArray {
  return Uint8ClampedArray.from(bgra, (_, at) => bgra[at % 4 === 0 ? at + 2 : at % 4 === 2 ? at - 2 : at]);
}

describe('pictureToInput', () => {
  it.each(golden.description.pictures as any[])('is the rule of Python and Kotlin: $rotation $mirror $framing', (each) => {
    const geometry = geometryOf(each);
    const input = new Float32Array(geometry.tensor.width * geometry.tensor.height * 3);
    pictureToInput({...geometry.frame, data: rgba(golden.bytes(each.pixels))}, geometry, input);
    const expected = golden.bytes(each.expected);
    expect(input.length).toBe(expected.length);
    input.forEach((value, at) => expect(Math.abs(value - expected[at])).toBeLessThanOrEqual(1));
    // Fixed point rounds some halves the other way.
    expect(input.filter((value, at) => value !== expected[at]).length).toBeLessThan(0.03 * input.length);
  });

  it('has bars of the mean colour beside a narrow picture', () => {
    const geometry = new Geometry({width: 1, height: 2}, {width: 4, height: 4});
    const input = new Float32Array(48);
    pictureToInput({width: 1, height: 2, data: new Uint8ClampedArray(8).fill(255)}, geometry, input);
    expect([...input.slice(0, 3)]).toEqual([...PADDING]);
    expect([...input.slice(3, 9)]).toEqual([255, 255, 255, 255, 255, 255]);
  });
});

describe('Geometry', () => {
  it.each(golden.description.frames as any[])('has the boxes of camera frames: $size $tensor $rotation $framing', (each) => {
    // The bars of the expected input show where the picture lies.
    const {content, tensor} = geometryOf(each);
    const expected = golden.bytes(each.expected);
    const isBar = (x: number, y: number) =>
      PADDING.every((value, channel) => expected[(y * tensor.width + x) * 3 + channel] === value);
    for (let y = 0; y < tensor.height; y++) {
      for (let x = 0; x < tensor.width; x++) {
        const inside = x >= content.left && x < content.right && y >= content.top && y < content.bottom;
        if (!inside) expect(isBar(x, y)).toBe(true);
      }
    }
  });
});

describe('reduce', () => {
  it('averages squares, and what is left of them at the edges', () => {
    const data = Uint8ClampedArray.from([0, 10, 20, 30, 40, 51].flatMap((grey) => [grey, grey, grey, 255]));
    const {width, height, data: reduced} = reduce({width: 3, height: 2, data}, 2);
    expect([width, height]).toEqual([2, 1]);
    expect([reduced[0], reduced[4], reduced[7]]).toEqual([20, 36, 255]); // (0+10+30+40)/4, (20+51)/2, opaque
  });

  it('keeps both sides at least as long as the input', () => {
    const tensor = {width: 512, height: 512};
    expect(reductionFor({width: 1023, height: 4000}, tensor)).toBe(1);
    expect(reductionFor({width: 4096, height: 2048}, tensor)).toBe(4);
  });
});
