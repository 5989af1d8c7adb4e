// Run a TF Lite file in LiteRT.js in Chromium:
//
//     node litertjs.mjs PACKAGES CHROMIUM ACCELERATOR FILE IMAGES OUTPUTS
//
// PACKAGES is a folder `node_modules`, ACCELERATOR is wasm or webgpu. IMAGES and OUTPUTS are bare numbers: those of the
// images are float32, one image after the other; labels become int32. Prints what the browser says of the file, as JSON.
import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import path from 'node:path';

const [packages, browserPath, accelerator, file, images, outputs] = process.argv.slice(2);
const {chromium} = createRequire(path.join(packages, '/'))('playwright-core');
const types = {'.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm'};
const imports = Object.fromEntries(
    ['@litertjs/core', '@litertjs/wasm-utils'].map((name) => [name, `/packages/${name}/dist/index.js`]));
const page = `<!doctype html><script type="importmap">${JSON.stringify({imports})}</script>`;

function locate(url) {
  if (url === '/model.tflite') return file;
  if (url === '/images') return images;
  return url.startsWith('/packages/') ? path.join(packages, url.slice('/packages/'.length)) : null;
}

// Both headers let the page share memory between threads.
const isolation = {'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp'};

const server = http.createServer((request, response) => {
  const url = decodeURIComponent(request.url.split('?')[0]);
  if (url === '/') return response.writeHead(200, {...isolation, 'Content-Type': 'text/html'}).end(page);
  const found = locate(url);
  if (!found || !fs.existsSync(found)) return response.writeHead(404).end();
  const type = types[path.extname(found)] ?? 'application/octet-stream';
  response.writeHead(200, {...isolation, 'Content-Type': type});
  return fs.createReadStream(found).pipe(response);
});

async function segment(accelerator) {
  const {loadAndCompile, loadLiteRt, Tensor} = await import('@litertjs/core');
  await loadLiteRt('/packages/@litertjs/core/wasm/');
  const model = await loadAndCompile('/model.tflite', {accelerator});
  const [input] = model.getInputDetails();
  const shape = Array.from(input.shape);
  const length = shape.reduce((product, each) => product * each);
  const pixels = new Float32Array(await (await fetch('/images')).arrayBuffer());
  const maps = [];
  for (let start = 0; start < pixels.length; start += length) {
    const [result] = await model.run(new Tensor(pixels.slice(start, start + length), shape));
    const onHost = accelerator === 'webgpu' ? await result.moveTo('wasm') : result;
    maps.push(Array.from(onHost.toTypedArray()));
  }
  const whole = model.isFullyAccelerated;
  return {maps, input, whole: typeof whole === 'function' ? whole.call(model) : whole};
}

await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--disable-background-networking', '--disable-component-update'];
const browser = await chromium.launch({executablePath: browserPath, headless: true, args});
try {
  const tab = await browser.newPage();
  const said = [];
  tab.on('console', (message) => said.push(message.text().slice(0, 500)));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  const {maps, ...facts} = await tab.evaluate(segment, accelerator).catch((error) => {
    throw new Error(`${error.message}\n${said.join('\n')}`);
  });
  fs.writeFileSync(outputs, Int32Array.from(maps.flat()));
  console.log(JSON.stringify(facts));
} finally {
  await browser.close();
  server.close();
}
