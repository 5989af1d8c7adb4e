/** The line over the picture that says what happens, and what went wrong. */

import {LabelError} from '../core/labels';
import {SpecError} from '../core/spec';
import {text, type TextKey} from '../i18n/texts';
import {CameraError} from '../inputs/camera';
import {PictureError} from '../inputs/pictures';
import {elements} from './elements';

export function showStatus(message: string, kind: 'note' | 'error' = 'note'): void {
  elements.status.textContent = message;
  elements.status.removeAttribute('data-text');
  elements.status.classList.toggle('error', kind === 'error');
}

export function clearStatus(): void {
  showStatus('');
}

/** @param otherwise the text for errors that are not foreseen */
export function showError(error: unknown, otherwise: TextKey): void {
  showStatus(describe(error, otherwise), 'error');
}

function describe(error: unknown, otherwise: TextKey): string {
  if (error instanceof SpecError) return text(error.fault, {detail: error.detail});
  if (error instanceof PictureError) return text(error.fault, {most: error.most});
  if (error instanceof CameraError) return text(error.fault, {message: error.message});
  if (error instanceof LabelError) return text('wrongLabels');
  return text(otherwise, {message: error instanceof Error ? error.message : String(error)});
}
