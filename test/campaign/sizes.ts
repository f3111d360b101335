/** How much a campaign tries: little in `npm test`, all of it with CAMPAIGN=full. CAMPAIGN_SEED repeats a run. */

export const FULL = process.env.CAMPAIGN === 'full';

/** @returns the number for this run */
export const size = (usual: number, full: number): number => (FULL ? full : usual);

/** What chance begins with; a failure prints it. */
export const SEED = Number(process.env.CAMPAIGN_SEED) || Math.floor(Math.random() * 2 ** 31);

/** For fast-check: its own report names the seed and the counterexample. */
export const tries = (usual: number, full: number) => ({ numRuns: size(usual, full), seed: SEED });

/** Milliseconds that a campaign may take: the usual limit, or hours. */
export const limit = (usual: number): number => (FULL ? 6 * 3_600_000 : usual);

/** Figures for docs/reliability.md, printed when all of it is tried. */
export const report = (campaign: string, figures: object): void => {
  if (FULL) console.info(`${campaign}: ${JSON.stringify({ ...figures, seed: SEED })}`);
};
