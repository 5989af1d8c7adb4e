/** The elements of `index.html`. */

function find<Kind extends HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

export const elements = {
  model: find<HTMLSelectElement>('model'),
  processor: find<HTMLSelectElement>('processor'),
  language: find<HTMLButtonElement>('language'),
  stage: find<HTMLElement>('stage'),
  view: find<HTMLCanvasElement>('view'),
  hint: find<HTMLElement>('hint'),
  named: find<HTMLElement>('named'),
  status: find<HTMLElement>('status'),
  picture: find<HTMLButtonElement>('picture'),
  camera: find<HTMLButtonElement>('camera'),
  flip: find<HTMLButtonElement>('flip'),
  freeze: find<HTMLButtonElement>('freeze'),
  save: find<HTMLButtonElement>('save'),
  import: find<HTMLButtonElement>('import'),
  noClasses: find<HTMLElement>('noClasses'),
  legend: find<HTMLUListElement>('legend'),
  opacity: find<HTMLInputElement>('opacity'),
  processorUsed: find<HTMLElement>('processorUsed'),
  times: find<HTMLDListElement>('times'),
  facts: find<HTMLElement>('facts'),
  pictureFile: find<HTMLInputElement>('pictureFile'),
  modelFiles: find<HTMLInputElement>('modelFiles'),
};
