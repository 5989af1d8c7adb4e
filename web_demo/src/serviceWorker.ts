const LONGEST_WAIT_MS = 5000;

/** Registers the service worker and waits until it controls the page; without one, the page needs the network. */
export async function controlledByServiceWorker(): Promise<void> {
  const {serviceWorker} = navigator;
  if (!serviceWorker) return; // not over https, or switched off
  const controlled = new Promise<void>((resolve) => {
    serviceWorker.addEventListener('controllerchange', () => resolve(), {once: true});
  });
  try {
    await serviceWorker.register(new URL('sw.js', document.baseURI));
  } catch {
    return;
  }
  if (serviceWorker.controller) return;
  await Promise.race([controlled, new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_MS))]);
}
