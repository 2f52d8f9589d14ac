const NODE_MAJOR_MIN = 24;

/** Ends the process with advice on a Node that starts the code but fails later. */
export function assertNodeVersion(): void {
  const major = Number(process.versions.node.split('.', 1)[0]);
  if (major >= NODE_MAJOR_MIN) return;
  console.error(
    `Ragstone needs Node ${NODE_MAJOR_MIN}; this is ${process.version}. Start it with "npm start": that uses the Node ${NODE_MAJOR_MIN} that "npm ci" installs beside it.`,
  );
  process.exit(1);
}
