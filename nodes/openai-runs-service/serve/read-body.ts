/** The body of a request as text, whether somebody has read it before or not. */
import type { IncomingMessage } from 'node:http';
import { ApiError, notJson } from '../../../engine/domain/errors.ts';

/** Bytes. */
const LONGEST = 10 * 1024 * 1024;

/** What a body parser leaves behind. */
type Parsed = IncomingMessage & { body?: unknown; _body?: boolean };

const tooLarge = () =>
  new ApiError(413, `The body of the request is larger than ${LONGEST / 1024 / 1024} MB.`, {
    code: 'request_too_large',
  });

/**
 * @returns the body; empty where there is none
 * @throws ApiError 413, 415 for a compressed body, 400 for one that breaks off
 */
export async function readBody(request: Parsed): Promise<string> {
  const { 'content-length': length, 'content-encoding': encoding = 'identity' } = request.headers;
  if (Number(length) > LONGEST) throw tooLarge();
  if (request._body || request.readableEnded) return textOf(request.body);
  if (encoding !== 'identity') {
    throw new ApiError(415, `Bodies in the encoding '${encoding}' are not taken.`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > LONGEST) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof ApiError ? error : notJson();
  }
  return Buffer.concat(chunks, size).toString();
}

/** What a parser made of the body, as text again. */
function textOf(body: unknown): string {
  if (body === undefined || body === null) return '';
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
  if (Buffer.byteLength(text) > LONGEST) throw tooLarge();
  return text;
}
