export const docxMediaType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

export type SupportedMediaType =
  'text/markdown' | 'text/html' | 'text/plain' | 'application/pdf' | typeof docxMediaType;
