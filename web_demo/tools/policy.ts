/** The Content-Security-Policy: nothing is loaded from, or sent to, another place than the page's own. */

import type {Plugin} from 'vite';

export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function securityPolicy(): Plugin {
  return {
    name: 'security-policy',
    config: () => ({define: {__POLICY__: JSON.stringify(POLICY)}}),
    transformIndexHtml: () => [
      {tag: 'meta', attrs: {'http-equiv': 'Content-Security-Policy', content: POLICY}, injectTo: 'head-prepend'},
    ],
  };
}
