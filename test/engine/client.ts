import OpenAI from 'openai';
import type { StartedEngine } from '../../engine/start.ts';

/** The SDK as the engine's client. */
export const clientOf = ({ fetch }: Pick<StartedEngine, 'fetch'>): OpenAI =>
  new OpenAI({ apiKey: 'none', baseURL: 'http://engine.local/v1', fetch, maxRetries: 0, logLevel: 'off' });
