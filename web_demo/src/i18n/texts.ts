/** The language of the page, and its texts. */

import classNames from '../../../keras_segformer/label_sets/translations/class_names_ko.json';
import type {LabelSet} from '../core/spec';
import {en, type TextKey} from './en';
import {ko} from './ko';

export type Language = 'en' | 'ko';
export type {TextKey};

const STORED = 'language';
const TEXTS = {en, ko};
const NAMES_KO: Record<string, Record<string, string>> = classNames;

let language: Language = initialLanguage();

function initialLanguage(): Language {
  const stored = storage()?.getItem(STORED);
  if (stored === 'en' || stored === 'ko') return stored;
  return globalThis.navigator?.language.startsWith('ko') ? 'ko' : 'en';
}

/** Undefined where the browser keeps nothing, as with cookies switched off. */
function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

export function currentLanguage(): Language {
  return language;
}

export function setLanguage(chosen: Language): void {
  language = chosen;
  storage()?.setItem(STORED, chosen);
}

/** A text, with the values in place of the names in braces. */
export function text(key: TextKey, values: Record<string, string | number> = {}): string {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The name of a class; those without a translation keep theirs. */
export function className(set: LabelSet, index: number): string {
  const name = set.names[index];
  return (language === 'ko' && NAMES_KO[set.name]?.[name]) || name;
}

/** A share 0..1 as 12.3%. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return `<${percent(0.001)}`;
  return new Intl.NumberFormat(language, {style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1})
    .format(share);
}

export function milliseconds(ms: number): string {
  return text('milliseconds', {ms: ms < 10 ? ms.toFixed(1) : Math.round(ms)});
}

/** Puts the texts into the elements that name them. */
export function translatePage(): void {
  document.documentElement.lang = language;
  document.title = text('title');
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = text(element.dataset.text as TextKey);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    element.setAttribute('aria-label', text(element.dataset.label as TextKey));
  }
}
