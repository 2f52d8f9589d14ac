export { assertNodeVersion } from './node-version.js';
export { projectFolder, projectVersion, workerFile } from './project-files.js';
export { failStart } from './fail-start.js';
