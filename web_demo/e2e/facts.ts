/** What `tests/web_demo/test_page.py` prepares: the page, files to give it, and what Python says of them. */

import {readFileSync} from 'node:fs';

interface Files {
  readonly tflite: string;
  readonly json: string;
}

interface Facts {
  /** The programs; empty where a test does not need them. */
  readonly chromium: string;
  readonly firefox: string;
  /** Where the page is served, with the headers that isolate it. */
  readonly url: string;
  readonly picture: string;
  /** A y4m file. */
  readonly video: string;
  /** The labels that Python's interpreter gives for the picture, int32. */
  readonly labels: string;
  /** A pair with a small input, and the labels of the picture. */
  readonly small: Files & {readonly labels: string};
}

const path = process.env.WEB_DEMO_FACTS;
if (!path) throw new Error('pytest -m slow tests/web_demo runs these tests');
export const facts: Facts = JSON.parse(readFileSync(path, 'utf-8'));

export function labelsIn(file: string): Int32Array {
  return new Int32Array(new Uint8Array(readFileSync(file)).buffer);
}
