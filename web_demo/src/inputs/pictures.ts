/** Pictures by chooser, drop and paste. */

const LONGEST_SIDE = 16384;

export class PictureError extends Error {
  override readonly name = 'PictureError';

  constructor(readonly fault: 'notPicture' | 'pictureTooLarge', readonly most = LONGEST_SIDE) {
    super(fault);
  }
}

/** Decodes a picture, upright and without a change of its colours. */
export async function decodePicture(file: Blob): Promise<ImageBitmap> {
  const bitmap = await createImageBitmap(file, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'}).catch(() => {
    throw new PictureError('notPicture');
  });
  if (Math.max(bitmap.width, bitmap.height) <= LONGEST_SIDE) return bitmap;
  bitmap.close();
  throw new PictureError('pictureTooLarge');
}

/** Calls back with the files that are dropped on an element. */
export function onDrop(element: HTMLElement, callback: (files: File[]) => void): void {
  for (const kind of ['dragenter', 'dragover'] as const) {
    element.addEventListener(kind, (event) => {
      event.preventDefault();
      element.classList.add('over');
    });
  }
  element.addEventListener('dragleave', () => element.classList.remove('over'));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    element.classList.remove('over');
    callback(Array.from(event.dataTransfer?.files ?? []));
  });
}

/** Calls back with the files of each paste. */
export function onPaste(callback: (files: File[]) => void): void {
  document.addEventListener('paste', (event) => callback(Array.from(event.clipboardData?.files ?? [])));
}

/** Calls back with what was chosen, and lets the same files be chosen again. */
export function onChoose(input: HTMLInputElement, callback: (files: File[]) => void): void {
  input.addEventListener('change', () => {
    const files = Array.from(input.files ?? []);
    input.value = '';
    if (files.length) callback(files);
  });
}
