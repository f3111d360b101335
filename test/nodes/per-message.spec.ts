/** Address, organization and project that come with each message, and values that come from the environment. */
import assert from 'node:assert/strict';
import { json, sse, startServer, type TestServer } from '../support/http-server.ts';
import { run, textStream } from '../support/objects.ts';
import { flowWith, type Msg, onEachRuntime, type Running } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const ids = { thread_id: 'thread_1', run_id: 'run_1' };
const getRun = { method: 'getRun', delivery: 'start' };
const credentials = { svc: { apiKey: 'dummy-key' } };

/** A node that puts its message's payload into a context. */
const keeper = (id: string, z: string, pt: 'flow' | 'global', p: string): Msg => {
  const rules = [{ t: 'set', p, pt, to: 'payload', tot: 'msg' }];
  return { id, type: 'change', rules, z, wires: [[]], x: 0, y: 0 };
};

onEachRuntime('a service whose values come with each message', (start) => {
  let one: TestServer;
  let other: TestServer;
  const service = (more: Msg = {}) => ({ backend: 'server', urlType: 'msg', url: 'server', ...more });
  const last = (server: TestServer) => server.received.at(-1)?.headers ?? {};
  const caught = async (flow: Running, msg: Msg): Promise<Msg> => {
    const count = flow.out('caught').length + 1;
    flow.send({ payload: ids, ...msg });
    return (await flow.wait('caught', count)).error;
  };

  beforeEach(async () => {
    one = await startServer((_request, response) => json(response, run()));
    other = await startServer((_request, response) => json(response, run({ status: 'completed' })));
  });
  afterEach(() => Promise.all([one.close(), other.close()]));

  it('asks the server that the message names, with the key of the service', async () => {
    const flow = await start(flowWith(getRun, service()), credentials);
    for (let nr = 0; nr < 4; nr++) {
      flow.send({ payload: ids, server: ` ${(nr % 2 ? other : one).url}/v${nr}/ ` });
    }
    await flow.wait('out', 4);
    const paths = (server: TestServer) => server.received.map(({ path }) => path).sort();
    assert.deepEqual(paths(one), ['/v0/threads/thread_1/runs/run_1', '/v2/threads/thread_1/runs/run_1']);
    assert.deepEqual(paths(other), ['/v1/threads/thread_1/runs/run_1', '/v3/threads/thread_1/runs/run_1']);
    assert.equal(last(one).authorization, 'Bearer dummy-key');
    assert.equal(last(other).authorization, 'Bearer dummy-key');
  });

  it('keeps one network for all of them', async () => {
    const ports = new Set<unknown>();
    one.answer = (_request, response) => {
      ports.add(response.socket?.remotePort);
      json(response, run());
    };
    const flow = await start(flowWith(getRun, service()));
    for (let nr = 1; nr <= 3; nr++) {
      flow.send({ payload: ids, server: `${one.url}/v${nr}` });
      await flow.wait('out', nr);
    }
    assert.equal(ports.size, 1);
    await flow.deploy([{ id: 'tab', type: 'tab', label: 'empty' }]);
    await until(() => one.open() === 0);
  });

  it('takes organization and project from the contexts, that of the flow the message is in', async () => {
    const more = {
      url: `${one.url}/v1`,
      urlType: 'str',
      organization: 'place.org',
      organizationType: 'flow',
      project: 'proj',
      projectType: 'global',
    };
    const far = { ...flowWith(getRun, {})[2], id: 'far', z: 'tab2', wires: [['third']] };
    const nodes = [
      ...flowWith(getRun, service(more)),
      { id: 'tab2', type: 'tab', label: 'second' },
      far,
      keeper('here', 'tab', 'flow', 'place.org'),
      keeper('there', 'tab2', 'flow', 'place.org'),
      keeper('all', 'tab', 'global', 'proj'),
    ];
    const flow = await start(nodes, credentials, ['function/15-change']);
    const sent = () => [last(one)['openai-organization'], last(one)['openai-project']];
    flow.send({ payload: ids });
    await flow.wait('out');
    assert.deepEqual(sent(), [undefined, undefined]);
    for (const [id, payload] of Object.entries({ here: 'org-1', there: 'org-2', all: 'proj-1' }))
      flow.send({ payload }, id);
    flow.send({ payload: ids });
    await flow.wait('out', 2);
    assert.deepEqual(sent(), ['org-1', 'proj-1']);
    flow.send({ payload: ids }, 'far');
    await flow.wait('third');
    assert.deepEqual(sent(), ['org-2', 'proj-1']);
  });

  it('says where it looked for an address that is none, and asks nobody', async () => {
    const flow = await start(flowWith(getRun, service({ url: 'a.server' })), credentials);
    const rows: [unknown, string, RegExp][] = [
      [undefined, 'no_url', /^There is no address of a server in msg\.a\.server\.$/],
      [{ server: '  ' }, 'no_url', /in msg\.a\.server\.$/],
      [{ server: null }, 'no_url', /in msg\.a\.server\.$/],
      [{ server: 7 }, 'bad_value', /^What is in msg\.a\.server must be a text\.$/],
      [
        { server: 'ftp://x' },
        'bad_url',
        /^The address from msg\.a\.server can't be used\. "ftp:\/\/x" is no/,
      ],
      [{ server: `${one.url}/%zz` }, 'bad_url', /from msg\.a\.server .* two hexadecimal digits/],
      [
        { server: one.url.replace('//', '//me:word@') },
        'bad_url',
        /from msg\.a\.server .* name and a password/,
      ],
      [{ server: 'dummy-key' }, 'bad_url', /"\*+" is no address/],
      [{ server: 'x'.repeat(9999) }, 'bad_url', /^.{0,400}$/],
    ];
    for (const [a, code, says] of rows) {
      const error = await caught(flow, { a });
      assert.match(error.message, says);
      assert.equal(error.cause.code, code, error.message);
    }
    assert.equal(one.received.length, 0);
    // Only what the service says is looked up in the environment.
    flow.send({ payload: ids, a: { server: `${one.url}/\${HOME}` } });
    await until(() => one.received.length === 1);
    assert.match(one.received[0]?.path ?? '', /^\/\$(\{|%7B)HOME/);
    const context = service({ urlType: 'flow', url: '#:(memory)::far.server' });
    await flow.deploy(flowWith(getRun, context));
    assert.match((await caught(flow, {})).message, /in flow\.far\.server\.$/);
  });

  it('survives values that no header can carry, and places that are none', async () => {
    const more = { url: `${one.url}/v1`, urlType: 'str', organization: 'org', organizationType: 'msg' };
    const flow = await start(flowWith(getRun, service(more)));
    assert.match((await caught(flow, { org: 'a\nb' })).message, /can't be used/);
    assert.match((await caught(flow, { org: { a: 1 } })).message, /^What is in msg\.org must be a text/);
    await flow.deploy(flowWith(getRun, service({ ...more, organization: 'org[' })));
    assert.match((await caught(flow, { org: 'a' })).message, /^msg\.org\[ can't be read: ./);
    assert.equal(one.received.length, 0);
  });

  it('goes on where a run began: the submit and the cancel, whatever the messages say by then', async () => {
    const call = { id: 'call_a', type: 'function', function: { name: 'lamp', arguments: '{}' } };
    const asking = run({
      status: 'requires_action',
      required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: [call] } },
    });
    one.answer = ({ path }, response) => {
      if (path.endsWith('/cancel')) return json(response, run({ status: 'cancelling' }));
      const write = sse(response);
      if (path.endsWith('/submit_tool_outputs')) for (const event of textStream(['Done.'])) write(...event);
      else write('thread.run.requires_action', asking);
      write();
    };
    const runs = { method: 'createRun', tools: true, toolTimeout: 5, result: 'text' };
    const flow = await start(flowWith(runs, service()));
    const request = { thread_id: 'thread_1', assistant_id: 'asst_1' };
    flow.send({ payload: request, server: `${one.url}/v1` });
    const asked = await flow.wait('second');
    flow.send({ ...asked, payload: 'on', server: `${other.url}/v1` });
    assert.equal((await flow.wait('out')).payload, 'Done.');
    flow.send({ payload: request, server: `${one.url}/v1` });
    await flow.wait('second', 2);
    flow.send({ reset: true, server: `${other.url}/v1` });
    await until(() => one.received.some(({ path }) => path.endsWith('/cancel')));
    assert.equal(other.received.length, 0);
  });

  it('reads an answer to a run of an earlier process from where its message says', async () => {
    one.answer = (_request, response) => json(response, run({ status: 'completed' }));
    const flow = await start(flowWith({ method: 'createRun', tools: true }, service()));
    const tool = { call_id: 'call_a', node: 'runs', ...ids };
    flow.send({ payload: 'on', tool, server: `${one.url}/v1` });
    await flow.wait('completed');
    assert.deepEqual(
      one.received.map(({ path }) => path),
      ['/v1/threads/thread_1/runs/run_1'],
    );
  });
});

onEachRuntime('a service whose values come from the environment', (start) => {
  let server: TestServer;
  let before: NodeJS.ProcessEnv;
  const headers = () => server.received.at(-1)?.headers ?? {};

  beforeEach(async () => {
    before = { ...process.env };
    server = await startServer((_request, response) => json(response, run()));
    Object.assign(process.env, { T_URL: `${server.url}/v1`, T_KEY: 'env-key', T_ORG: 'org-e' });
  });
  afterEach(async () => {
    process.env = before;
    await server.close();
  });

  const service = (more: Msg = {}) => ({
    backend: 'server',
    url: 'T_URL',
    urlType: 'env',
    organization: 'T_ORG',
    organizationType: 'env',
    apiKeyType: 'env',
    apiKeyEnv: 'T_KEY',
    ...more,
  });

  it('reads address, organization and key there, and leaves a stored key alone', async () => {
    const flow = await start(flowWith(getRun, service()), credentials);
    flow.send({ payload: ids });
    await flow.wait('out');
    assert.equal(headers().authorization, 'Bearer env-key');
    assert.equal(headers()['openai-organization'], 'org-e');
  });

  it('says which address is not set, and that a key is not; a key in the flow is no key', async () => {
    const flow = await start(flowWith(getRun, service({ url: 'T_NONE' })));
    flow.send({ payload: ids });
    assert.match((await flow.wait('caught')).error.message, /no address of a server in env\.T_NONE/);
    for (const [index, apiKeyEnv] of ['T_NONE', 'sk-literal', '', 7, 'sk-$' + '{T_NONE}'].entries()) {
      await flow.deploy(flowWith(getRun, service({ apiKeyEnv })), 'full');
      flow.send({ payload: ids });
      const { error } = await flow.wait('caught', index + 2);
      assert.match(error.message, /^The environment variable for the key is not set/);
      assert.doesNotMatch(JSON.stringify(error), /literal/);
    }
    assert.equal(server.received.length, 0);
  });

  it('is as good for the embedded engine, which looks into no message', async () => {
    const asks = { method: 'createThreadAndRun', fields: { assistant_id: { value: 'asst_1', type: 'str' } } };
    const embedded = service({ backend: 'embedded', provider: 'responses', database: ':memory:' });
    const assistants = [{ id: 'asst_1', model: 'm' }];
    const flow = await start(flowWith({ ...asks, failures: 'output' }, { ...embedded, assistants }));
    flow.send({ payload: 'hello' });
    await flow.wait('out');
    const asked = server.received.length;
    assert.equal(server.received.at(-1)?.path, '/v1/responses');
    assert.equal(headers().authorization, 'Bearer env-key');
    for (const [index, more] of [{ url: 'T_NONE' }, { urlType: 'msg', url: 'server' }].entries()) {
      await flow.deploy(flowWith(asks, { ...embedded, assistants, ...more }));
      flow.send({ payload: 'hello', server: `${server.url}/v1` });
      const says = [/no address of a server in env\.T_NONE/, /"server" is no address/][index] as RegExp;
      await until(() => flow.out('caught').some(({ error }) => says.test(error.message)));
    }
    assert.equal(server.received.length, asked);
  });
});
