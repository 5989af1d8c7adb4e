/** Names the class at a point: a click or a tap, or the arrow keys. */

import {className} from '../i18n/texts';
import {elements} from './elements';
import type {View} from './view';

const STEP = 0.02;
/** Pixels between the name and the edge of the stage. */
const MARGIN = 4;
const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

export class Pointer {
  private place: {x: number; y: number} | undefined;

  constructor(private readonly view: View) {
    elements.named.setAttribute('role', 'status');
    elements.view.addEventListener('click', ({offsetX, offsetY}) => {
      this.moveTo(offsetX / elements.view.clientWidth, offsetY / elements.view.clientHeight);
    });
    elements.view.addEventListener('keydown', (event) => this.onKey(event));
    new ResizeObserver(() => this.update()).observe(elements.view);
  }

  /** Names the class again, for another picture or language. */
  update(): void {
    const index = this.place && this.view.classAt(this.place.x, this.place.y);
    const {current} = this.view;
    elements.named.hidden = index === undefined || !current;
    if (!this.place || index === undefined || !current) return;
    const name = className(current.set, index);
    if (elements.named.textContent !== name) elements.named.textContent = name;
    const {offsetLeft, offsetTop, clientWidth, clientHeight} = elements.view;
    const half = elements.named.offsetWidth / 2;
    const left = Math.min(offsetLeft + this.place.x * clientWidth, elements.stage.clientWidth - half - MARGIN);
    const top = offsetTop + this.place.y * clientHeight;
    elements.named.style.left = `${Math.max(left, half + MARGIN)}px`;
    elements.named.style.top = `${top}px`;
    // Above the point, where the finger does not hide it, if there is room.
    elements.named.classList.toggle('below', top < 1.5 * elements.named.offsetHeight + MARGIN);
  }

  private moveTo(x: number, y: number): void {
    this.place = {x: Math.min(Math.max(x, 0), 0.999), y: Math.min(Math.max(y, 0), 0.999)};
    this.update();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this.place = undefined;
      return this.update();
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const {x, y} = this.place ?? {x: 0.5, y: 0.5};
    this.moveTo(x + step[0], y + step[1]);
  }
}
