export const docxMediaType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

export const supportedMediaTypes = [
  'text/markdown',
  'text/html',
  'text/plain',
  'application/pdf',
  docxMediaType,
] as const;

export type SupportedMediaType = (typeof supportedMediaTypes)[number];
