/** The worker that owns the model: prepares pictures, runs the model, and checks WebGPU against WebAssembly. */

import {type Pixels, pictureToInput, reduce, reductionFor} from '../core/frames';
import {Geometry} from '../core/geometry';
import {compare, type SelfCheckResult, threshold} from '../core/selfCheck';
import {type ModelSpec, SpecError} from '../core/spec';
import {loadRuntime, Runner, type Runtime} from './liteRt';
import type {Answer, Loaded, Refusal, Reply, Request, Segmented} from './protocol';

declare const self: DedicatedWorkerGlobalScope;

type LoadRequest = Extract<Request, {kind: 'load'}>;

let runtime: Promise<Runtime> | undefined;
let runner: Runner | undefined;
let current: LoadRequest | undefined;
/** Used again for each frame. */
let input = new Float32Array(0);
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext('2d', {willReadFrequently: true})!;

async function load(request: LoadRequest): Promise<Loaded> {
  const {threads, gpu: kind} = await (runtime ??= loadRuntime());
  const {spec, model, wanted} = request;
  const wasm = (await Runner.make(model, spec, 'wasm'))!; // the model before stays where this one fails
  runner?.delete();
  runner = wasm;
  current = request;
  const keep = (refusal: Refusal): Loaded => ({processor: 'wasm', threads, check: undefined, refusal});
  if (wanted === 'wasm') return keep({reason: 'notWanted'});
  if (kind === 'none') return keep({reason: 'noAdapter'});
  if (kind === 'software' && wanted === 'auto') return keep({reason: 'software'});
  try {
    const gpu = await Runner.make(model, spec, 'webgpu');
    if (!gpu) return keep({reason: 'partial'});
    const {refusal, check} = await tryOut(gpu, wasm, request);
    if (refusal) {
      gpu.delete();
      return keep(refusal);
    }
    wasm.delete();
    runner = gpu;
    return {processor: 'webgpu', threads, check, refusal: undefined};
  } catch (error) {
    return keep({reason: 'failed', message: String((error as Error).message ?? error)});
  }
}

/** Both on the same picture, twice: the first run of a GPU compiles its programs. */
async function tryOut(
  gpu: Runner, wasm: Runner, {spec, checkPicture, wanted}: LoadRequest,
): Promise<{refusal?: Refusal; check: SelfCheckResult}> {
  const {input} = prepare(checkPicture, spec, false);
  const onGpu = await timed(gpu, input);
  const onWasm = await timed(wasm, input);
  const check = compare(onGpu.map, onWasm.map, spec.labelSet, threshold(spec));
  if (!check.passed) return {refusal: {reason: 'wrong', check}, check};
  if (wanted === 'auto' && onGpu.ms > onWasm.ms) {
    return {refusal: {reason: 'slower', check, gpuMs: onGpu.ms, wasmMs: onWasm.ms}, check};
  }
  return {check};
}

async function timed(each: Runner, input: Float32Array) {
  await each.run(input);
  const {map, modelMs, readMs} = await each.run(input);
  return {map, ms: modelMs + readMs};
}

async function run({bitmap, mirror}: Extract<Request, {kind: 'run'}>): Promise<Segmented> {
  if (!current || !runner) throw new Error('no model is loaded');
  const started = performance.now();
  const {input, geometry} = prepare(bitmap, current.spec, mirror);
  const prepared = performance.now();
  let reloaded: Loaded | undefined;
  const result = await runner.run(input).catch(async (error) => {
    if (runner?.processor !== 'webgpu') throw error;
    const loaded = await load({...current!, wanted: 'wasm'});
    reloaded = {...loaded, refusal: {reason: 'lost'}};
    return runner!.run(input);
  });
  const {input: tensor} = current.spec;
  const {map} = result;
  const across = map.width / tensor.width;
  const down = map.height / tensor.height;
  const {left, top, right, bottom} = geometry.content;
  return {
    bitmap,
    map,
    content: {left: left * across, top: top * down, right: right * across, bottom: bottom * down},
    times: {prepare: prepared - started, model: result.modelMs, read: result.readMs},
    reloaded,
  };
}

function prepare(bitmap: ImageBitmap, spec: ModelSpec, mirror: boolean) {
  const pixels = reduce(pixelsOf(bitmap), reductionFor(bitmap, spec.input));
  const geometry = new Geometry(pixels, spec.input, 0, mirror);
  const length = spec.input.width * spec.input.height * 3;
  if (input.length !== length) input = new Float32Array(length);
  pictureToInput(pixels, geometry, input);
  return {input, geometry};
}

function pixelsOf(bitmap: ImageBitmap): Pixels {
  const {width, height} = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  context.clearRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

async function answer(request: Request): Promise<Reply> {
  if (request.kind === 'load') return {kind: 'loaded', loaded: await load(request)};
  return {kind: 'segmented', ...(await run(request))};
}

// One after the other: a model that is being replaced must not run.
let last: Promise<unknown> = Promise.resolve();
self.onmessage = ({data: {id, request}}: MessageEvent<{id: number; request: Request}>) => {
  last = last.then(async () => {
    try {
      const reply = await answer(request);
      const moved = reply.kind === 'segmented' ? [reply.bitmap, reply.map.labels.buffer] : [];
      self.postMessage({id, reply} satisfies Answer, moved);
    } catch (error) {
      const {name, message} = error as Error;
      const {fault, detail} = error instanceof SpecError ? error : {};
      self.postMessage({id, error: {name: name ?? 'Error', message: message ?? String(error), fault, detail}} satisfies Answer);
    }
  });
};
