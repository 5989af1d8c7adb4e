/** The JSON file that `keras-segformer convert` writes beside a `.tflite` file. */

export type Precision = 'float32' | 'float16' | 'dynamic' | 'int8' | 'int8_npu' | 'int16x8';
export type OutputKind = 'labels' | 'labels_full' | 'logits';

export interface LabelSet {
  readonly name: string;
  readonly names: readonly string[];
  readonly palette: readonly (readonly [number, number, number])[];
  readonly ignoreIndex: number;
}

export interface ModelSpec {
  readonly labelSet: LabelSet;
  readonly input: {readonly width: number; readonly height: number};
  readonly output: {readonly kind: OutputKind; readonly width: number; readonly height: number; readonly channels: number};
  readonly precision: Precision;
  readonly license: {readonly name: string; readonly url: string; readonly nonCommercial: boolean} | undefined;
  /** Share of equal labels of the worst picture; undefined if it was not measured. */
  readonly worstAgreement: number | undefined;
  readonly bytes: number;
  readonly sha256: string;
}

export type SpecFault =
  | 'notJson' | 'field' | 'inputType' | 'batch' | 'resizable' | 'outputKind' | 'precision'
  | 'wrongSize' | 'wrongChecksum' | 'notTflite' | 'otherTensors';

/** A pair that cannot be used; `detail` names the field or the figures. */
export class SpecError extends Error {
  override readonly name = 'SpecError';

  constructor(readonly fault: SpecFault, readonly detail = '') {
    super(detail ? `${fault}: ${detail}` : fault);
  }
}

const PRECISIONS: readonly string[] = ['float32', 'float16', 'dynamic', 'int8', 'int8_npu', 'int16x8'];
const KINDS: readonly string[] = ['labels', 'labels_full', 'logits'];
const MOST_CLASSES = 65535;
const LONGEST_SIDE = 4096;

export function isInteger(precision: Precision): boolean {
  return precision !== 'float32' && precision !== 'float16';
}

/** Reads a description; fields that are not needed are ignored. */
export function parseSpec(text: string): ModelSpec {
  const facts = parse(text);
  const labelSet = readLabelSet(facts.label_set);
  const input = readInput(facts.input);
  return {
    labelSet,
    input,
    output: readOutput(facts.output, input, labelSet.names.length),
    precision: known<Precision>(facts.precision, PRECISIONS, 'precision', 'precision'),
    license: readLicense(facts.license),
    worstAgreement: readFidelity(facts.fidelity),
    bytes: whole(facts.bytes, 1, 2 ** 30, 'bytes'),
    sha256: readChecksum(facts.sha256),
  };
}

type Json = any;

function parse(text: string): Json {
  let facts: Json;
  try {
    facts = JSON.parse(text);
  } catch {
    throw new SpecError('notJson');
  }
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) throw new SpecError('notJson');
  return facts;
}

function readLabelSet(set: Json): LabelSet {
  const names = set?.names;
  const isName = (name: unknown) => typeof name === 'string' && name.trim() !== '' && name.length <= 200;
  need(Array.isArray(names) && names.length >= 1 && names.length <= MOST_CLASSES && names.every(isName),
    'label_set.names');
  const isColor = (color: unknown) =>
    Array.isArray(color) && color.length === 3 && color.every((value) => isWhole(value, 0, 255));
  need(Array.isArray(set.palette) && set.palette.length === names.length && set.palette.every(isColor),
    'label_set.palette');
  return {
    name: typeof set.name === 'string' ? set.name : '',
    names,
    palette: set.palette,
    ignoreIndex: whole(set.ignore_index, names.length, 65535, 'label_set.ignore_index'),
  };
}

function readInput(input: Json): ModelSpec['input'] {
  const shape = input?.shape;
  need(Array.isArray(shape) && shape.length === 4 && shape[3] === 3, 'input.shape');
  if (shape.slice(0, 3).some((side: unknown) => side === null || side === -1)) throw new SpecError('resizable');
  if (shape[0] !== 1) throw new SpecError('batch', String(shape[0]));
  need(isWhole(shape[1], 32, LONGEST_SIDE) && isWhole(shape[2], 32, LONGEST_SIDE), 'input.shape');
  need(input.colors === 'RGB' && String(input.range) === '0,255', 'input.range');
  if (input.dtype !== 'float32') throw new SpecError('inputType', String(input.dtype));
  return {width: shape[2], height: shape[1]};
}

function readOutput(output: Json, input: ModelSpec['input'], classes: number): ModelSpec['output'] {
  const kind = known<OutputKind>(output?.kind, KINDS, 'outputKind', 'output.kind');
  const quarter = (side: number) => (kind === 'labels_full' ? side : Math.ceil(side / 4));
  const [width, height] = [quarter(input.width), quarter(input.height)];
  const channels = classes === 2 && output.shape?.at(-1) === 1 ? 1 : classes;
  const depth = kind === 'logits' ? [channels] : [];
  need(String(output.shape) === String([1, height, width, ...depth]), 'output.shape');
  need(output.dtype === (kind === 'logits' ? 'float32' : 'int32'), 'output.dtype');
  return {kind, width, height, channels};
}

function readLicense(license: Json): ModelSpec['license'] {
  if (!license) return undefined;
  need(typeof license.name === 'string' && typeof license.url === 'string', 'license');
  return {name: license.name, url: license.url, nonCommercial: license.non_commercial === true};
}

function readFidelity(fidelity: Json): number | undefined {
  if (!fidelity) return undefined;
  const worst = fidelity.worst_agreement;
  need(typeof worst === 'number' && worst >= 0 && worst <= 1, 'fidelity.worst_agreement');
  return worst;
}

function readChecksum(sha256: Json): string {
  need(typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256), 'sha256');
  return sha256.toLowerCase();
}

/** A value of those that the page knows; others have a message of their own. */
function known<Choice extends string>(
  value: Json, choices: readonly string[], fault: SpecFault, field: string,
): Choice {
  need(typeof value === 'string', field);
  if (!choices.includes(value)) throw new SpecError(fault, value.slice(0, 40));
  return value as Choice;
}

function whole(value: Json, least: number, most: number, field: string): number {
  need(isWhole(value, least, most), field);
  return value;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function need(condition: boolean, field: string): void {
  if (!condition) throw new SpecError('field', field);
}
