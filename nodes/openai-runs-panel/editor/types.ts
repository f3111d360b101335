/** What the routes give. */
import type { Origin, RunRow, RunSums } from '../../../engine/index.ts';
import type { DeclaredFunction } from '../../openai-runs/editor/tool-flow.ts';
import type { RunDetail } from '../runtime/contents.ts';

export type Row = RunRow & { service: string };
export type { Origin, RunDetail, RunSums };
export type Run = RunDetail['run'];
export type Step = RunDetail['steps'][number];
export type Message = RunDetail['messages'][number];

/** What an assistant is set to. */
export interface AssistantInfo {
  id: string;
  name: string | null;
  model: string;
  instructions: string | null;
  temperature: number | null;
  functions: DeclaredFunction[];
}

export interface ServiceInfo {
  id: string;
  name: string;
  backend: string;
  contents: boolean;
}

export interface NodeInfo {
  id: string;
  name: string;
  service: string;
  method: string;
}

/** A message on its way, with or without a run. */
export interface FlightInfo {
  origin: Origin;
  since: number;
  state: string;
  ahead: number;
  retry?: { attempt: number; at: number; limited: boolean };
  runId?: string;
}

export interface Live {
  service: string;
  version: number;
  reload: boolean;
  flights: FlightInfo[];
  active: Row[];
  changed: Row[];
  /** The runtime's clock. */
  now: number;
}
