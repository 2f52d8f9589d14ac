export { createApp } from './create-app.js';
export { listen } from './listen.js';
export { closeGently } from './shut-down.js';
