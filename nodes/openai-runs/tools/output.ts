/** From what a tool's flow sends back to the text that the API takes as a tool's output. */
import type { NodeMessage } from 'node-red';

/**
 * Text goes as it is, a Buffer as base64, anything else as JSON. A message from a Catch node is an error output.
 * @throws TypeError when the payload can't be written as JSON
 */
export function outputOf(msg: NodeMessage & { error?: unknown }): string {
  if (msg.error) return errorOutput(messageOf(msg.error));
  const { payload } = msg;
  if (typeof payload === 'string') return payload;
  if (ArrayBuffer.isView(payload)) {
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64');
  }
  return JSON.stringify(payload) ?? '';
}

/**
 * What an approval's answer says: `{approve: true}` or `{approve: false}`, or that word alone. A message from a Catch
 * node refuses.
 * @throws TypeError for anything else: nothing is approved or refused by mistake
 */
export function approvalOf({ payload, error }: NodeMessage & { error?: unknown }): string {
  const word = (payload as { approve?: unknown } | undefined)?.approve ?? payload;
  if (error) return JSON.stringify({ approve: false });
  if (typeof word !== 'boolean') throw new TypeError('{approve: true} | {approve: false}');
  return JSON.stringify({ approve: word });
}

/** The output of a tool that failed, in a form that a model reads as such. */
export function errorOutput(message: string): string {
  return JSON.stringify({ error: message });
}

function messageOf(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  return typeof message === 'string' ? message : JSON.stringify(error);
}
