/** LiteRT.js in this worker: one of its variants, loaded once. */

import {type CompiledModel, loadAndCompile, loadLiteRt, supportsFeature, Tensor, type TensorDetails} from '@litertjs/core';

import {type LabelMap, likeliest} from '../core/labels';
import {type ModelSpec, SpecError} from '../core/spec';
import type {Processor} from './protocol';

declare const self: DedicatedWorkerGlobalScope & {Module?: object};

const FOLDER = new URL('../litert/', self.location.href).href;

export interface Runtime {
  readonly threads: number;
  /** A `software` GPU is this computer's CPU, slower than WebAssembly. */
  readonly gpu: 'none' | 'software' | 'hardware';
}

/** Loads LiteRT: with threads where the page is isolated, for old browsers without relaxed SIMD. */
export async function loadRuntime(): Promise<Runtime> {
  const isModern = (await supportsFeature('relaxedSimd')) as boolean;
  const isThreaded = isModern && self.crossOriginIsolated;
  const variant = isThreaded ? 'litert_wasm_threaded_internal' : `litert_wasm_${isModern ? '' : 'compat_'}internal`;
  const script = `${FOLDER}${variant}.js`;
  self.Module = {
    wasmBinary: await unpack(`${FOLDER}${variant}.wasm.packed`),
    mainScriptUrlOrBlob: script,
    print: logged,
    printErr: logged,
  };
  const adapter = await navigator.gpu?.requestAdapter();
  await withoutWarnings(!adapter, () => loadLiteRt(script));
  return {threads: isThreaded ? navigator.hardwareConcurrency : 1, gpu: kindOf(adapter)};
}

function kindOf(adapter: GPUAdapter | null | undefined): Runtime['gpu'] {
  if (!adapter) return 'none';
  const {architecture, isFallbackAdapter} = adapter.info as GPUAdapterInfo & {isFallbackAdapter?: boolean};
  return isFallbackAdapter || architecture === 'swiftshader' ? 'software' : 'hardware';
}

/** LiteRT logs what it does, most of it as errors. */
function logged(line: string): void {
  if (/^(ERROR|FATAL|[EF]\d{4} )/.test(line)) console.error(line);
}

async function unpack(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  return new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

/** LiteRT.js warns of a missing adapter, which is the usual case on many machines. */
async function withoutWarnings(quiet: boolean, work: () => Promise<unknown>): Promise<void> {
  const {warn} = console;
  if (quiet) console.warn = () => {};
  try {
    await work();
  } finally {
    console.warn = warn;
  }
}

/** What a model takes and returns is what its description says; else its labels would be read wrongly, or not at all. */
function checkTensors(model: CompiledModel, spec: ModelSpec): void {
  const {kind, width, height} = spec.output;
  const channels = kind === 'logits' ? `,${spec.output.channels}` : '';
  const expected = [
    `float32 1,${spec.input.height},${spec.input.width},3`,
    `${kind === 'logits' ? 'float32' : 'int32'} 1,${height},${width}${channels}`,
  ];
  const found = [...model.getInputDetails(), ...model.getOutputDetails()].map(description);
  if (found.join() !== expected.join()) throw new SpecError('otherTensors', found.join('; '));
}

function description({dtype, shape}: TensorDetails): string {
  return `${dtype} ${Array.from(shape).join()}`;
}

/** A model that is ready to run on one processor. */
export class Runner {
  private constructor(
    private readonly model: CompiledModel,
    private readonly spec: ModelSpec,
    readonly processor: Processor,
  ) {}

  /** @returns undefined if the processor cannot run all operations */
  static async make(content: Uint8Array, spec: ModelSpec, processor: Processor): Promise<Runner | undefined> {
    let model: CompiledModel | undefined;
    await withoutWarnings(processor === 'webgpu', async () => {
      model = await loadAndCompile(content, {accelerator: processor});
    });
    if (!model) return undefined;
    try {
      checkTensors(model, spec);
    } catch (error) {
      model.delete();
      throw error;
    }
    const isWhole = processor === 'wasm' || (model.options.accelerator === 'webgpu' && model.isFullyAccelerated);
    if (isWhole) return new Runner(model, spec, processor);
    model.delete();
    return undefined;
  }

  /** @param input RGB 0..255, `(height, width, 3)` */
  async run(input: Float32Array): Promise<{map: LabelMap; modelMs: number; readMs: number}> {
    const {width, height} = this.spec.input;
    const started = performance.now();
    const tensor = new Tensor(input, [1, height, width, 3]);
    try {
      const [output] = await this.model.run([tensor]);
      const ran = performance.now();
      // Waits for the GPU, so that the time of the model is in here.
      const onHost = this.processor === 'webgpu' ? await output.moveTo('wasm') : output;
      const map = this.labelsOf(onHost.toTypedArray());
      onHost.delete();
      return {map, modelMs: ran - started, readMs: performance.now() - ran};
    } finally {
      tensor.delete();
    }
  }

  delete(): void {
    this.model.delete();
  }

  private labelsOf(output: ArrayLike<number>): LabelMap {
    const {kind, width, height} = this.spec.output;
    if (kind === 'logits') return likeliest(output as Float32Array, width, height);
    return {width, height, labels: Int32Array.from(output)};
  }
}
