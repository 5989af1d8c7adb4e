/** The page: what its buttons do. */

import selfCheckUrl from '../../android_demo/app/src/main/assets/self_check.jpg?url';
import {classShares, countClasses} from './core/labels';
import {Engine} from './engine/engine';
import type {Loaded, ProcessorChoice, Segmented} from './engine/protocol';
import {setLanguage, currentLanguage, text, translatePage} from './i18n/texts';
import {Camera} from './inputs/camera';
import {decodePicture, onChoose, onDrop, onPaste} from './inputs/pictures';
import {bundledSources, loadPair, type Pair, type Source, sourceOf} from './models/pair';
import {showFacts, showProcessor, showTimes} from './ui/details';
import {elements} from './ui/elements';
import {Legend} from './ui/legend';
import {Pointer} from './ui/pointer';
import {clearStatus, showError, showStatus} from './ui/status';
import {View} from './ui/view';

/** What listeners of the event `segmented` get, such as tests. */
export interface SegmentedDetail {
  readonly width: number;
  readonly height: number;
  readonly labels: Int32Array;
}

/** A browser may leave a worker waiting for good, and says nothing then. */
const LATE_MS = 45_000;

export class App {
  private readonly engine = new Engine();
  private readonly view = new View(elements.view);
  private readonly legend = new Legend((index) => this.showOnly(index));
  private readonly pointer = new Pointer(this.view);
  private readonly camera = new Camera();
  private readonly sources: Source[] = [];
  private pair: Pair | undefined;
  private loaded: Loaded | undefined;
  private last: {result: Segmented; color: number; rate: number | undefined} | undefined;
  private isFrozen = false;
  /** Counts the loops that follow the camera; only the latest goes on. */
  private follower = 0;
  /** Later work waits for earlier work: the engine has one model and one picture at a time. */
  private queue: Promise<unknown> = Promise.resolve();

  async start(): Promise<void> {
    translatePage();
    this.listen();
    if (!isSecureContext) return showStatus(text('insecure'), 'error');
    this.sources.push(...(await bundledSources().catch(() => [])));
    this.listModels();
    if (!this.sources.length) return showStatus(text('noModel'), 'error');
    await this.enqueue(() => this.load(this.sources[0]));
  }

  private listen(): void {
    elements.language.addEventListener('click', () => this.switchLanguage());
    elements.model.addEventListener('change', () => this.changeModel(this.sources[elements.model.selectedIndex]));
    elements.processor.addEventListener('change', () => this.changeModel());
    elements.opacity.addEventListener('input', () => {
      this.view.opacity = Number(elements.opacity.value) / 100;
      this.view.draw();
    });
    elements.picture.addEventListener('click', () => elements.pictureFile.click());
    elements.import.addEventListener('click', () => elements.modelFiles.click());
    elements.camera.addEventListener('click', () => (this.camera.isRunning ? this.stopCamera() : this.startCamera()));
    elements.flip.addEventListener('click', () => this.flipCamera());
    elements.freeze.addEventListener('click', () => this.freeze(!this.isFrozen));
    elements.save.addEventListener('click', () => this.save());
    onChoose(elements.pictureFile, (files) => this.open(files));
    onChoose(elements.modelFiles, (files) => this.importPair(files));
    onDrop(elements.stage, (files) => this.open(files));
    onPaste((files) => (files.length ? this.open(files) : showStatus(text('clipboardEmpty'), 'error')));
  }

  // --- Models ---

  private async load(source: Source): Promise<void> {
    try {
      await this.whileLoading(async () => this.use(source.name === this.pair?.name ? this.pair : await loadPair(source)));
      clearStatus();
    } catch (error) {
      elements.model.value = this.pair?.name ?? source.name;
      showError(error, 'modelFailed');
    }
  }

  private async whileLoading(work: () => Promise<void>): Promise<void> {
    showStatus(text('loading'));
    const late = setTimeout(() => showStatus(text('loadingLate')), LATE_MS);
    try {
      await work();
    } finally {
      clearTimeout(late);
    }
  }

  private async use(pair: Pair): Promise<void> {
    const checkPicture = await decodePicture(await (await fetch(selfCheckUrl)).blob());
    const wanted = elements.processor.value as ProcessorChoice;
    this.loaded = await this.engine.load(pair.spec, pair.model, wanted, checkPicture);
    if (pair !== this.pair) this.view.only = undefined;
    this.pair = pair;
    elements.picture.disabled = elements.camera.disabled = false;
    this.describe();
  }

  /** Loads a model, or the same one for another processor, and segments the picture again. */
  private changeModel(source = this.sources.find(({name}) => name === this.pair?.name)): void {
    if (!source) return;
    void this.enqueue(async () => {
      await this.load(source);
      const shown = this.view.current;
      if (shown && !this.camera.isRunning && this.pair) await this.segment(await createImageBitmap(shown.picture), shown.mirror);
    });
  }

  private importPair(files: File[]): void {
    const source = sourceOf(files);
    if (!source) return showStatus(text('notAPair'), 'error');
    void this.enqueue(async () => {
      try {
        await this.whileLoading(async () => this.use(await loadPair(source)));
        const same = this.sources.findIndex(({name}) => name === source.name);
        if (same >= 0) this.sources[same] = source;
        else this.sources.push(source);
        this.listModels(source.name);
        showStatus(text('imported', {name: source.name}));
      } catch (error) {
        showError(error, 'modelFailed');
      }
    });
  }

  private listModels(chosen = this.sources[0]?.name): void {
    const options = this.sources.map(({name}) => new Option(name, name, false, name === chosen));
    elements.model.replaceChildren(...options);
    elements.model.disabled = !options.length;
  }

  // --- Pictures ---

  private open(files: File[]): void {
    if (files.some(({name}) => /\.(tflite|json)$/i.test(name))) return this.importPair(files);
    if (!files[0]) return;
    void this.enqueue(async () => {
      if (!this.pair) return;
      this.stopCamera();
      showStatus(text('working'));
      try {
        await this.segment(await decodePicture(files[0]), false);
        clearStatus();
      } catch (error) {
        showError(error, 'runFailed');
      }
    });
  }

  private async segment(bitmap: ImageBitmap, mirror: boolean, rate?: number): Promise<void> {
    const {spec} = this.pair!;
    const result = await this.engine.run(bitmap, mirror);
    const {map, content, bitmap: picture} = result;
    const shares = classShares(countClasses(map, spec.labelSet, content));
    const started = performance.now();
    this.view.show({picture, mirror, map, content, set: spec.labelSet});
    const color = performance.now() - started;
    elements.view.hidden = false;
    elements.hint.hidden = true;
    elements.save.disabled = false;
    if (result.reloaded) this.loaded = result.reloaded;
    if (result.reloaded) this.describe();
    this.last = {result, color, rate};
    this.legend.update(spec.labelSet, shares, this.view.only);
    showTimes(result.times, color, rate);
    this.pointer.update();
    const detail: SegmentedDetail = {width: map.width, height: map.height, labels: map.labels};
    window.dispatchEvent(new CustomEvent('segmented', {detail}));
  }

  private showOnly(index: number): void {
    this.view.only = this.view.only === index ? undefined : index;
    this.view.draw();
    this.refreshLegend();
  }

  private refreshLegend(): void {
    const {current} = this.view;
    if (!current) return;
    const shares = classShares(countClasses(current.map, current.set, current.content));
    this.legend.update(current.set, shares, this.view.only);
  }

  private async save(): Promise<void> {
    const file = `segmented-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`;
    const url = URL.createObjectURL(await this.view.toBlob());
    Object.assign(document.createElement('a'), {href: url, download: file}).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    showStatus(text('saved', {file}));
  }

  // --- Camera ---

  private async startCamera(): Promise<void> {
    elements.camera.disabled = true;
    try {
      await this.camera.start(() => this.stopCamera());
    } catch (error) {
      return showError(error, 'cameraFailed');
    } finally {
      elements.camera.disabled = false;
    }
    clearStatus();
    await this.showCameraButtons();
    void this.follow();
  }

  private stopCamera(): void {
    this.camera.stop();
    void this.showCameraButtons();
  }

  private async flipCamera(): Promise<void> {
    try {
      await this.camera.flip(() => this.stopCamera());
    } catch (error) {
      this.stopCamera();
      return showError(error, 'cameraFailed');
    }
    void this.follow();
  }

  private async showCameraButtons(): Promise<void> {
    const {isRunning} = this.camera;
    this.isFrozen = false;
    elements.camera.dataset.text = isRunning ? 'stopCamera' : 'camera';
    elements.freeze.hidden = !isRunning;
    elements.freeze.dataset.text = 'freeze';
    elements.freeze.ariaPressed = 'false';
    translatePage();
    elements.flip.hidden = !isRunning || !(await Camera.hasSeveral());
  }

  private freeze(frozen: boolean): void {
    this.isFrozen = frozen;
    elements.freeze.dataset.text = frozen ? 'resume' : 'freeze';
    elements.freeze.ariaPressed = String(frozen);
    translatePage();
  }

  /** Segments frames until the camera is stopped; those that come while the model is busy are skipped. */
  private async follow(): Promise<void> {
    const mine = ++this.follower;
    let before = performance.now();
    let rate: number | undefined;
    while (this.camera.isRunning && mine === this.follower) {
      const bitmap = await this.camera.frame();
      if (!bitmap) break;
      if (this.isFrozen || mine !== this.follower) {
        bitmap.close();
        before = performance.now();
        continue;
      }
      const {mirror} = this.camera;
      const shown = await this.enqueue(() => this.segment(bitmap, mirror, rate)).then(() => true, (error) => {
        this.stopCamera();
        showError(error, 'runFailed');
        return false;
      });
      if (!shown) break;
      const now = performance.now();
      const latest = 1000 / (now - before);
      rate = rate === undefined ? latest : 0.8 * rate + 0.2 * latest;
      before = now;
    }
  }

  // --- Texts ---

  private switchLanguage(): void {
    setLanguage(currentLanguage() === 'en' ? 'ko' : 'en');
    translatePage();
    clearStatus();
    this.describe();
    this.refreshLegend();
    this.pointer.update();
    if (this.last) showTimes(this.last.result.times, this.last.color, this.last.rate);
  }

  private describe(): void {
    if (this.loaded) showProcessor(this.loaded);
    if (this.pair) showFacts(this.pair.spec);
  }

  private enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => {});
    return result;
  }
}
