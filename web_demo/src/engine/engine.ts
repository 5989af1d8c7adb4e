/** The model as the page sees it: asks the worker, and waits for its answers. */

import {type ModelSpec, SpecError} from '../core/spec';
import type {Answer, Loaded, ProcessorChoice, Reply, Request, Segmented} from './protocol';

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Engine {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;

  constructor() {
    this.worker.onmessage = ({data}: MessageEvent<Answer>) => this.settle(data);
    this.worker.onerror = (event) => this.failAll(new Error(event.message || 'the worker could not be loaded'));
  }

  async load(
    spec: ModelSpec, model: Uint8Array<ArrayBuffer>, wanted: ProcessorChoice, checkPicture: ImageBitmap,
  ): Promise<Loaded> {
    const reply = await this.ask({kind: 'load', spec, model, wanted, checkPicture}, [checkPicture]);
    return (reply as Extract<Reply, {kind: 'loaded'}>).loaded;
  }

  /** Segments a picture. It belongs to the worker until it comes back with the result. */
  async run(bitmap: ImageBitmap, mirror: boolean): Promise<Segmented> {
    return (await this.ask({kind: 'run', bitmap, mirror}, [bitmap])) as Extract<Reply, {kind: 'segmented'}>;
  }

  private ask(request: Request, moved: Transferable[]): Promise<Reply> {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.worker.postMessage({id, request}, moved);
    });
  }

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('reply' in answer) waiting?.resolve(answer.reply);
    else waiting?.reject(errorOf(answer.error));
  }

  private failAll(error: Error): void {
    for (const {reject} of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** The error as the worker threw it. */
function errorOf({name, message, fault, detail}: Extract<Answer, {error: unknown}>['error']): Error {
  return fault ? new SpecError(fault, detail) : Object.assign(new Error(message), {name});
}
