export { createApp } from './create-app.js';
export { listen } from './listen.js';
export { McpServers } from './mcp/mcp-server.js';
export { closeGently } from './shut-down.js';
