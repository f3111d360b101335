/** Where the engine says what people should know. */

export interface EngineLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}
