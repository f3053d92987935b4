// The page that `neostriatum live` serves: the view, with a socket behind it.
import { mount } from './view.js';
import { socketTransport } from './transports.js';

mount(document.getElementById('neostriatum'), socketTransport(location));
