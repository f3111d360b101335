/** What the dialog asks the runtime for. */

/**
 * @param body what is sent; without it, the request only reads
 * @returns undefined where the runtime does not answer or the user may not ask
 */
export async function ask<Answer>(id: string, what: string, body?: object): Promise<Answer | undefined> {
  try {
    return await $.ajax({
      url: `openai-runs-service/${encodeURIComponent(id)}/${what}`,
      ...(body && { type: 'POST', contentType: 'application/json', data: JSON.stringify(body) }),
    });
  } catch {
    return undefined;
  }
}
