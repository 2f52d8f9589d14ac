/** Of a parser process. Times count while it works on a document, not while it waits for its reader. */
export interface ParseLimits {
  /** Processor time for a document, and what each MB of it adds. */
  cpuMs: number;
  cpuMsPerMb: number;
  /** By the clock, for what waits without working, and on a machine that is busy otherwise. */
  wallMs: number;
  wallMsPerMb: number;
  /** Resident memory of the process; watched on Linux. */
  rssMbMax: number;
  /** JavaScript's part of that, kept by the process itself. */
  heapMbMax: number;
  /** A process above this when it has finished a document is replaced. */
  restingRssMbMax: number;
  /** So is one that has read so many. */
  documentsMax: number;
  /** For loading the code. */
  startMs: number;
  /** An unused process is ended. */
  idleMs: number;
}

export const defaultParseLimits: ParseLimits = {
  cpuMs: 30_000,
  cpuMsPerMb: 4_000,
  wallMs: 90_000,
  wallMsPerMb: 12_000,
  rssMbMax: 620,
  heapMbMax: 480,
  restingRssMbMax: 400,
  documentsMax: 10_000,
  startMs: 60_000,
  idleMs: 30_000,
};

/** What a process may use for one document. */
export interface DocumentLimits {
  cpuMs: number;
  wallMs: number;
  rssMb: number;
}

export function limitsFor(byteCount: number, limits: ParseLimits): DocumentLimits {
  const megabytes = byteCount / (1024 * 1024);
  return {
    cpuMs: limits.cpuMs + megabytes * limits.cpuMsPerMb,
    wallMs: limits.wallMs + megabytes * limits.wallMsPerMb,
    rssMb: limits.rssMbMax,
  };
}
