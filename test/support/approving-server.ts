/** A server that asks, as Azure AI Foundry does, before it calls tools of its own: one run, answered once or cancelled. */
import { json, sse, startServer, type TestServer } from './http-server.ts';
import { message, run, textStream } from './objects.ts';

// biome-ignore lint/suspicious/noExplicitAny: test data is bent at will
type Any = any;

const ASSISTANT = { id: 'asst_1', object: 'assistant', name: 'Caretaker', model: 'model-x', tools: [] };
const page = (data: object[]) => ({
  object: 'list',
  data,
  first_id: null,
  last_id: null,
  has_more: false,
});

/** A call as it stands in `required_action`, and in a step. */
export const call = (id: string, name = 'delete_file', path = '/tmp/a') => ({
  id,
  type: 'mcp',
  name,
  arguments: JSON.stringify({ path }),
  server_label: 'files',
});

export interface ApprovingServer extends TestServer {
  /** Bodies of the answers that came. */
  submitted(): Any[];
  /** How often an answered or cancelled run is looked at before it has ended. */
  longest: number;
}

/** Starts it. @param calls what its run asks for */
export async function startApproving(
  calls = [call('call_a'), call('call_b', 'list_files')],
): Promise<ApprovingServer> {
  const asking = run({
    status: 'requires_action',
    expires_at: Math.floor(Date.now() / 1000) + 600,
    created_at: Math.floor(Date.now() / 1000),
    required_action: { type: 'submit_tool_approval', submit_tool_approval: { tool_calls: calls } },
  });
  let now: Any = asking;
  let looks = 0;
  const server = await startServer(({ method, path, body }, response) => {
    if (path.endsWith('/assistants')) return json(response, page([ASSISTANT]));
    if (path.endsWith('/assistants/asst_1')) return json(response, ASSISTANT);
    if (path.endsWith('/steps')) return json(response, page([]));
    if (path.endsWith('/messages'))
      return json(response, page(now.status === 'completed' ? [message('Done.')] : []));
    if (path.endsWith('/submit_tool_outputs')) {
      if (!Array.isArray(body.tool_approvals))
        return json(
          response,
          { error: { message: 'tool_approvals is missing.', type: 'invalid_request_error' } },
          400,
        );
      now = run({ ...asking, status: 'in_progress', required_action: null });
      if (!body.stream) return json(response, now);
      const write = sse(response);
      for (const [event, data] of textStream(['Done.'])) write(event, data);
      now = run({ status: 'completed', completed_at: asking.created_at + 2 });
      return write();
    }
    if (method === 'POST' && path.endsWith('/runs')) {
      now = asking;
      looks = 0;
      if (!body.stream) return json(response, now);
      const write = sse(response);
      write('thread.run.created', run({ ...asking, status: 'queued', required_action: null }));
      write('thread.run.requires_action', asking);
      return write();
    }
    if (path.endsWith('/runs/run_1')) {
      // It takes a while: what is looked at once only is not seen to end.
      const isStopping = now.status === 'cancelling';
      looks += now.status === 'in_progress' || isStopping ? 1 : 0;
      const end = isStopping
        ? { status: 'cancelled', cancelled_at: asking.created_at + 2 }
        : { status: 'completed', completed_at: asking.created_at + 2 };
      if (looks > approving.longest) now = run({ ...now, ...end });
      return json(response, now);
    }
    if (path.endsWith('/runs/run_1/cancel')) {
      now = run({ ...asking, status: 'cancelling', required_action: null });
      return json(response, now);
    }
    json(response, { error: { message: `No ${path}`, type: 'invalid_request_error' } }, 404);
  });
  const submitted = () =>
    server.received.filter(({ path }) => path.endsWith('/submit_tool_outputs')).map(({ body }) => body);
  const approving: ApprovingServer = Object.assign(server, { submitted, longest: 1 });
  return approving;
}
