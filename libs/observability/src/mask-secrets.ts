/** What gives access, wherever in a line it stands: in a path, a message, a stack. */
const secrets: [pattern: RegExp, replacement: string][] = [
  [/\brs_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}/g, 'rs_$1_[secret]'], // the public part says which key it was
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '[token]'],
  [/\b(sk-(?:ant-|proj-)?|lsv2[-_])[\w-]{12,}/g, '$1[secret]'],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, '$1 [secret]'],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"]*):[^\s/?#@"]+@/gi, '$1:[secret]@'],
];

/** Something that one of them begins with; most lines have none of it. */
const suspicion = /rs_|eyJ|sk-|lsv2|bearer|basic|:\/\//i;

export function maskSecrets(line: string): string {
  if (!suspicion.test(line)) return line;
  return secrets.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
