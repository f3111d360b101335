/** What the clients of a campaign were told, as they wrote it down before anything else (kills-child.ts). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Row } from '../../engine/store/records.ts';

export interface Journal {
  /** All lines, in words. */
  lines: string[][];
  /** The lines that begin with a word, without it. */
  of(kind: string): [string, ...string[]][];
}

export function readJournal(file: string): Journal {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
  return {
    lines,
    of: (kind) => lines.filter(([word]) => word === kind).map(([, ...rest]) => rest as [string, ...string[]]),
  };
}

/** Nothing that a client was told of a run is lost, or has changed. */
export function auditTold({ of }: Journal, runs: ReadonlyMap<string, Row<'runs'>>): void {
  for (const [id] of of('created')) assert(runs.has(id), `run ${id} is lost`);
  for (const [id, status] of of('ended'))
    assert.equal(runs.get(id)!.status, status, `run ${id} changed after its end`);
  for (const [id] of of('cancelling'))
    assert.equal(runs.get(id)!.status, 'cancelled', `run ${id} was to be cancelled`);
}

/** No generation is begun twice; of one that is, all that is known is shown. @returns how many there are */
export function auditTurns({ lines, of }: Journal, runs: ReadonlyMap<string, Row<'runs'>>): number {
  const turns = of('turn').map(([tag, round]) => `${tag} ${round}`);
  const twice = new Set(
    turns.filter((turn, i) => turns.indexOf(turn) !== i).map((turn) => turn.split(' ')[0]),
  );
  const told = lines.filter((line) => line.some((word) => twice.has(word)));
  assert.deepEqual(
    told.map((line) => [...line, runs.get(line[1]!)]),
    [],
  );
  return turns.length;
}
