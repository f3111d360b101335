/** What the provider behind the engine can't do is refused when it is asked for, not when a run comes to it. */
import { unsupported } from '../domain/errors.ts';
import type { RunOptions } from '../domain/run-options.ts';
import type { CreateMessage } from '../schemas/bodies.ts';
import type { Service } from '../service.ts';

/** @throws ApiError 400 for files, where the provider keeps none */
export function checkMessages(
  { keepsFiles }: Service,
  messages: readonly CreateMessage[] | undefined | null,
): void {
  if (keepsFiles) return;
  for (const { content, attachments } of messages ?? []) {
    if (attachments?.length) throw unsupported('attachments', 'Attachments');
    if (typeof content !== 'string' && content.some(({ type }) => type === 'image_file')) {
      throw unsupported('content', 'Pictures from files (image_file)', 'or send the picture as image_url');
    }
  }
}

/** @throws ApiError 400 for tools that run at the provider, where it has none */
export function checkTools({ keepsFiles }: Service, { tools }: Pick<RunOptions, 'tools'>): void {
  if (keepsFiles) return;
  const hosted = tools.find(({ type }) => type !== 'function');
  if (hosted) throw unsupported('tools', `The tool ${hosted.type}`);
}
