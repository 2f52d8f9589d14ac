export { parsePdf } from './pdf.js';
