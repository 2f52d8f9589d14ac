export { projectFolder, workerFile } from './project-files.js';
