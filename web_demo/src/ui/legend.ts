/** The classes of the picture with their shares; pressing one shows it alone. */

import type {ClassShare} from '../core/labels';
import type {LabelSet} from '../core/spec';
import {className, percent, text} from '../i18n/texts';
import {elements} from './elements';

const MOST_ROWS = 30;

export class Legend {
  private readonly rows = new Map<number, Row>();
  private set: LabelSet | undefined;

  /** @param onPress called with the class that was pressed */
  constructor(private readonly onPress: (index: number) => void) {}

  /** Keeps the buttons of classes that stay, so that they keep the focus while the camera runs. */
  update(set: LabelSet, shares: readonly ClassShare[], only: number | undefined): void {
    if (set !== this.set) this.clear();
    this.set = set;
    elements.noClasses.hidden = true;
    const shown = shares.slice(0, MOST_ROWS);
    const kept = new Set(shown.map(({index}) => index));
    for (const [index, row] of this.rows) {
      if (kept.has(index)) continue;
      row.item.remove();
      this.rows.delete(index);
    }
    shown.forEach(({index, share}, place) => {
      const row = this.rows.get(index) ?? this.add(index);
      row.update(className(set, index), share, only === index);
      if (elements.legend.children[place] !== row.item) this.move(row.item, place);
    });
  }

  clear(): void {
    this.rows.clear();
    elements.legend.replaceChildren();
    elements.noClasses.hidden = false;
  }

  private add(index: number): Row {
    const row = new Row(this.set!.palette[index], () => this.onPress(index));
    this.rows.set(index, row);
    return row;
  }

  private move(item: HTMLElement, place: number): void {
    const focused = item.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
    elements.legend.insertBefore(item, elements.legend.children[place] ?? null);
    focused?.focus();
  }
}

class Row {
  readonly item = document.createElement('li');
  private readonly button = document.createElement('button');
  private readonly name = document.createElement('span');
  private readonly share = document.createElement('span');

  constructor(color: readonly [number, number, number], onPress: () => void) {
    this.share.className = 'share';
    this.button.type = 'button';
    this.button.append(swatch(color), this.name, this.share);
    this.button.addEventListener('click', onPress);
    this.item.append(this.button);
  }

  update(name: string, share: number, isOnly: boolean): void {
    if (this.name.textContent !== name) {
      this.name.textContent = name;
      this.button.title = text('showOnly', {name});
    }
    this.share.textContent = percent(share);
    this.button.setAttribute('aria-pressed', String(isOnly));
  }
}

/** Drawn on a canvas, because the policy allows no inline styles. */
function swatch([red, green, blue]: readonly [number, number, number]): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  canvas.ariaHidden = 'true';
  const context = canvas.getContext('2d')!;
  context.fillStyle = `rgb(${red} ${green} ${blue})`;
  context.fillRect(0, 0, 1, 1);
  return canvas;
}
