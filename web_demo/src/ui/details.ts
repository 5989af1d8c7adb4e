/** What the page says of the model, its processor and its times. */

import type {SelfCheckResult} from '../core/selfCheck';
import type {ModelSpec} from '../core/spec';
import type {Loaded, Refusal, Times} from '../engine/protocol';
import {milliseconds, percent, text} from '../i18n/texts';
import {elements} from './elements';

export function showProcessor(loaded: Loaded): void {
  elements.processorUsed.textContent = [use(loaded), loaded.refusal && why(loaded.refusal)].filter(Boolean).join(' ');
}

export function showFacts({input, precision, bytes, license}: ModelSpec): void {
  const facts = text('modelFacts', {...input, precision, size: (bytes / 1e6).toFixed(1)});
  const line = document.createElement('span');
  line.textContent = facts;
  elements.facts.replaceChildren(line);
  if (!license) return;
  const link = document.createElement('a');
  link.href = /^https?:/.test(license.url) ? license.url : '#';
  link.rel = 'noreferrer';
  link.target = '_blank'; // the page would lose its picture
  link.textContent = text(license.nonCommercial ? 'nonCommercial' : 'license', {name: license.name});
  elements.facts.append(document.createElement('br'), link);
}

/** @param rate pictures per second of the camera */
export function showTimes({prepare, model, read}: Times, color: number, rate?: number): void {
  const phases: [string, number][] = [
    [text('prepare'), prepare],
    [text('inference'), model],
    [text('read'), read],
    [text('color'), color],
    [text('total'), prepare + model + read + color],
  ];
  const rows = phases.flatMap(([name, ms]) => [cell('dt', name), cell('dd', milliseconds(ms))]);
  if (rate) rows.push(cell('dt', text('frameRate')), cell('dd', rate.toFixed(1)));
  elements.times.replaceChildren(...rows);
}

function use({processor, threads, check}: Loaded): string {
  if (processor === 'webgpu' && check) return text('usesGpu', figures(check));
  if (threads > 1) return text('usesCpu', {threads});
  if (crossOriginIsolated) return text('usesCpu', {threads});
  return text(navigator.serviceWorker?.controller ? 'isolateByReload' : 'usesOneThread');
}

function why(refusal: Refusal): string {
  switch (refusal.reason) {
    case 'notWanted':
      return '';
    case 'wrong':
      return text('wrong', figures(refusal.check));
    case 'slower':
      return text('slower', {
        ...figures(refusal.check), gpu: milliseconds(refusal.gpuMs), cpu: milliseconds(refusal.wasmMs),
      });
    case 'failed':
      return text('failed', {message: refusal.message});
    default:
      return text(refusal.reason);
  }
}

function figures({agreement, threshold}: SelfCheckResult) {
  return {agreement: percent(agreement), threshold: percent(threshold)};
}

function cell(tag: 'dt' | 'dd', content: string): HTMLElement {
  return Object.assign(document.createElement(tag), {textContent: content});
}
