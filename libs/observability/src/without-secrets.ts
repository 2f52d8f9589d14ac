const REDACTED = '[redacted]';

/** What keys look like: our own, OpenAI's and its likes, bearers, JSON web tokens, passwords in URLs. */
const secrets = new RegExp(
  [
    String.raw`\b(?<own>rs_[A-Za-z0-9]+_)[\w-]{8,}`,
    String.raw`\b(?<openAi>(?:sk|lsv2)[-_])[\w-]{12,}`,
    String.raw`\b(?<scheme>(?:Bearer|Basic) )[\w.~+/=-]{8,}`,
    String.raw`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
    String.raw`(?<url>:\/\/[^\s:/@"]*:)[^\s@"/]+(?=@)`,
  ].join('|'),
  'g',
);

/** Takes out of a log line what looks like a key, wherever it stands: the messages of other people's errors, too. */
export function withoutSecrets(line: string): string {
  return line.replace(secrets, (...match: unknown[]) => {
    const { own, openAi, scheme, url } = match.at(-1) as Record<string, string | undefined>;
    return `${own ?? openAi ?? scheme ?? url ?? ''}${REDACTED}`;
  });
}
