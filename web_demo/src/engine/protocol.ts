/** What the page and the worker that owns the model say to each other. */

import type {Box} from '../core/geometry';
import type {LabelMap} from '../core/labels';
import type {SelfCheckResult} from '../core/selfCheck';
import type {ModelSpec, SpecFault} from '../core/spec';

export type Processor = 'webgpu' | 'wasm';
export type ProcessorChoice = 'auto' | Processor;

/** Why WebAssembly is used instead of WebGPU. */
export type Refusal =
  | {readonly reason: 'notWanted' | 'noAdapter' | 'software' | 'partial' | 'lost'}
  | {readonly reason: 'wrong'; readonly check: SelfCheckResult}
  | {readonly reason: 'slower'; readonly check: SelfCheckResult; readonly gpuMs: number; readonly wasmMs: number}
  | {readonly reason: 'failed'; readonly message: string};

/** The model as it was loaded. */
export interface Loaded {
  readonly processor: Processor;
  readonly threads: number;
  /** The comparison with WebAssembly that WebGPU passed. */
  readonly check: SelfCheckResult | undefined;
  readonly refusal: Refusal | undefined;
}

/** Milliseconds of each phase of one picture. */
export interface Times {
  readonly prepare: number;
  readonly model: number;
  readonly read: number;
}

export interface Segmented {
  /** The picture as it was sent. */
  readonly bitmap: ImageBitmap;
  readonly map: LabelMap;
  /** The part of the map that the picture fills, in its pixels. */
  readonly content: Box;
  readonly times: Times;
  /** Set when WebGPU was lost and WebAssembly took over. */
  readonly reloaded: Loaded | undefined;
}

export type Request =
  | {
      readonly kind: 'load';
      readonly spec: ModelSpec;
      readonly model: Uint8Array<ArrayBuffer>;
      readonly wanted: ProcessorChoice;
      readonly checkPicture: ImageBitmap;
    }
  | {readonly kind: 'run'; readonly bitmap: ImageBitmap; readonly mirror: boolean};

export type Reply = {readonly kind: 'loaded'; readonly loaded: Loaded} | ({readonly kind: 'segmented'} & Segmented);

export type Answer = {readonly id: number} & (
  | {readonly reply: Reply}
  | {readonly error: {readonly name: string; readonly message: string; readonly fault?: SpecFault; readonly detail?: string}}
);
