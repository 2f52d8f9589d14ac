export const supportedMediaTypes = [
  'text/markdown',
  'text/html',
  'text/plain',
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
] as const;

export type SupportedMediaType = (typeof supportedMediaTypes)[number];
