import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

import {compare, threshold} from '../src/core/selfCheck';
import {type LabelSet, parseSpec, SpecError, type SpecFault} from '../src/core/spec';

const FILE = new URL('../../android_demo/app/src/main/assets/models/b0_camvid_int8.json', import.meta.url);
const facts = JSON.parse(readFileSync(fileURLToPath(FILE), 'utf-8'));
facts.input.dtype = 'float32'; // the app's file takes bytes, which LiteRT.js does not

function faultOf(changes: object): [SpecFault, string] {
  try {
    parseSpec(JSON.stringify({...facts, ...changes}));
  } catch (error) {
    if (error instanceof SpecError) return [error.fault, error.detail];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseSpec', () => {
  it('reads what convert writes', () => {
    const spec = parseSpec(JSON.stringify(facts));
    expect(spec.labelSet.names).toContain('Bicyclist');
    expect(spec.labelSet.palette).toHaveLength(spec.labelSet.names.length);
    expect(spec.input).toEqual({width: 512, height: 512});
    expect(spec.output).toEqual({kind: 'labels', width: 128, height: 128, channels: 11});
    expect(spec.license?.nonCommercial).toBe(true);
    expect(spec.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    [{input: {...facts.input, dtype: 'uint8'}}, ['inputType', 'uint8']],
    [{input: {...facts.input, shape: [4, 512, 512, 3]}}, ['batch', '4']],
    [{input: {...facts.input, range: [-1, 1]}}, ['field', 'input.range']],
    [{output: {...facts.output, shape: [1, 127, 128]}}, ['field', 'output.shape']],
    [{output: {...facts.output, kind: 'probabilities'}}, ['outputKind', 'probabilities']],
    [{output: {...facts.output, kind: 3}}, ['field', 'output.kind']],
    [{input: {...facts.input, shape: [1, null, null, 3]}}, ['resizable', '']],
    [{input: {...facts.input, shape: [1, -1, -1, 3]}}, ['resizable', '']],
    [{label_set: {...facts.label_set, palette: []}}, ['field', 'label_set.palette']],
    [{label_set: null}, ['field', 'label_set.names']],
    [{precision: 'int8_mcu'}, ['precision', 'int8_mcu']],
    [{precision: null}, ['field', 'precision']],
    [{sha256: 'abc'}, ['field', 'sha256']],
    [{bytes: 0}, ['field', 'bytes']],
  ] as [object, [SpecFault, string]][])('refuses %j', (changes, fault) => {
    expect(faultOf(changes)).toEqual(fault);
  });

  it.each(['', '{', '[]', 'null', '3'])('refuses %j, which describes nothing', (text) => {
    expect(() => parseSpec(text)).toThrow(new SpecError('notJson'));
  });
});

describe('the self-check', () => {
  const set: LabelSet = {name: '', names: ['a', 'b'], palette: [[0, 0, 0], [1, 1, 1]], ignoreIndex: 255};
  const map = (...labels: number[]) => ({width: labels.length, height: 1, labels: Int32Array.from(labels)});

  it('takes its threshold from the JSON file', () => {
    const of = (worst: number | undefined, precision = 'dynamic') =>
      threshold(parseSpec(JSON.stringify({
        ...facts, precision, fidelity: worst === undefined ? null : {worst_agreement: worst},
      })));
    expect(of(0.97)).toBeCloseTo(0.96);
    expect(of(0.5)).toBe(0.8);
    expect(of(undefined)).toBeCloseTo(0.89);
    expect(of(undefined, 'float16')).toBeCloseTo(0.98);
  });

  it('passes equal labels, and names classes that vanished', () => {
    expect(compare(map(0, 1, 1), map(0, 1, 1), set, 0.98).passed).toBe(true);
    const {agreement, vanished, passed} = compare(map(0, 0, 0), map(0, 0, 1), set, 0.5);
    expect(agreement).toBeCloseTo(2 / 3);
    expect([vanished, passed]).toEqual([[1], false]);
  });

  it('counts labels that do not exist as wrong', () => {
    expect(compare(map(7, 1), map(0, 1), set, 0.4).agreement).toBe(0.5);
  });
});
