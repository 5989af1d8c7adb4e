/**
 * The service worker: keeps the page for use without a network, and accepts no file with another SHA-256 than that of
 * the build.
 *
 * Large files are kept when they are first used, so that a visitor downloads only the variant that suits the browser.
 * It also adds the headers that isolate the page, for hosts that cannot be told to send them.
 */

declare const __POLICY__: string;

const worker = self as unknown as ServiceWorkerGlobalScope;

const FILES = '__FILES__' as unknown as Record<string, string>;
const CACHE = `page-${hashOf(Object.values(FILES).join())}`;
const MODELS = 'models';
const SHELL = Object.keys(FILES).filter((name) => !name.startsWith('litert/'));

worker.addEventListener('install', (event) => {
  event.waitUntil(Promise.all(SHELL.map((name) => fromBuild(name))).then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(removeOldCaches().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  const name = nameOf(url);
  if (event.request.method !== 'GET' || name === undefined) return;
  if (name in FILES) event.respondWith(fromBuild(name).then(isolated));
  else if (name.startsWith('models/')) event.respondWith(model(event.request, name).then(isolated));
});

/** The path of a file of the page, relative to its folder. */
function nameOf(url: URL): string | undefined {
  const scope = new URL(worker.registration.scope);
  if (url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return undefined;
  return decodeURIComponent(url.pathname.slice(scope.pathname.length)) || 'index.html';
}

async function fromBuild(name: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(name);
  if (kept) return kept;
  // Past the browser's own cache, where a file of another build may be.
  const response = await fetch(name, {cache: 'no-cache'});
  if (!response.ok) return response;
  const content = await response.arrayBuffer();
  if ((await digest(content)) !== FILES[name]) throw new TypeError(`${name} is not the file of this build`);
  const verified = new Response(content, {headers: {'Content-Type': response.headers.get('Content-Type') ?? ''}});
  await cache.put(name, verified.clone());
  return verified;
}

/** The page verifies models by their descriptions; descriptions are fetched anew where there is a network. */
async function model(request: Request, name: string): Promise<Response> {
  const cache = await caches.open(MODELS);
  const kept = await cache.match(name);
  const description = name.replace(/\.tflite$/, '.json');
  if (kept && name !== description && (await isCurrent(kept.clone(), await cache.match(description)))) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(name, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function isCurrent(file: Response, description: Response | undefined): Promise<boolean> {
  const facts = description && (await description.json());
  return facts?.sha256 === (await digest(await file.arrayBuffer()));
}

/** The same answer with the headers that allow threads, and with the page's policy for its workers too. */
function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('Content-Security-Policy', __POLICY__);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}

async function removeOldCaches(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE && name !== MODELS).map((name) => caches.delete(name)));
}

async function digest(content: ArrayBuffer): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A short name for a build. */
function hashOf(text: string): string {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return (hash >>> 0).toString(16);
}

export {};
