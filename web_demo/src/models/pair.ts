/** A model and its description: the page's own, or files that the user chose. */

import {sha256} from '../core/checksum';
import {type ModelSpec, parseSpec, SpecError} from '../core/spec';

export interface Pair {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly model: Uint8Array<ArrayBuffer>;
}

/** Where the pair's content comes from; neither is read before it is needed. */
export interface Source {
  readonly name: string;
  description(): Promise<string>;
  model(): Promise<ArrayBuffer>;
}

/** Reads a pair and verifies that both belong together. */
export async function loadPair(source: Source): Promise<Pair> {
  const spec = parseSpec(await source.description());
  const model = new Uint8Array(await source.model());
  await verify(spec, model);
  return {name: source.name, spec, model};
}

async function verify(spec: ModelSpec, model: Uint8Array<ArrayBuffer>): Promise<void> {
  if (new TextDecoder('latin1').decode(model.subarray(4, 8)) !== 'TFL3') throw new SpecError('notTflite');
  if (model.length !== spec.bytes) throw new SpecError('wrongSize', `${model.length} / ${spec.bytes}`);
  if ((await sha256(model)) !== spec.sha256) throw new SpecError('wrongChecksum');
}

/** The models in the folder of the page, in the order of `models/index.json`. */
export async function bundledSources(): Promise<Source[]> {
  const names: string[] = JSON.parse(await text('models/index.json')).models;
  return names.map((name) => ({
    name,
    description: () => text(`models/${name}.json`),
    model: async () => (await get(`models/${name}.tflite`)).arrayBuffer(),
  }));
}

/** The pair among files that the user chose; undefined if there are not one of each kind. */
export function sourceOf(files: readonly File[]): Source | undefined {
  const [model, ...otherModels] = files.filter((file) => file.name.toLowerCase().endsWith('.tflite'));
  const [description, ...others] = files.filter((file) => file.name.toLowerCase().endsWith('.json'));
  if (!model || !description || otherModels.length || others.length) return undefined;
  return {
    name: model.name.replace(/\.tflite$/i, ''),
    description: () => description.text(),
    model: () => model.arrayBuffer(),
  };
}

async function text(path: string): Promise<string> {
  return (await get(path)).text();
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response;
}
