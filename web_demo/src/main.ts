import {App} from './app';
import {controlledByServiceWorker} from './serviceWorker';

// First, so that what the model needs is fetched once and kept for use without a network.
await controlledByServiceWorker();
await new App().start();
