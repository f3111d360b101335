/** What becomes of the Service Hosts of old flows. */
import assert from 'node:assert/strict';
import { survey, targetsOf } from '../../../nodes/openai-runs/editor/convert/survey.ts';
import { added, convert, env, HOST, node, TAB } from './flows.ts';

describe('the services of a conversion', () => {
  const server = (more: Record<string, unknown> = {}) => {
    const host = { ...HOST, apiBase: 'https://llm.example/v1', ...more };
    const found = survey([TAB, host, node()]);
    return { service: added(convert([TAB, host, node()]), 'host'), host: found.hosts[0]! };
  };

  it('put the embedded engine in the place of api.openai.com, with every assistant of the flows', () => {
    const flow = [
      TAB,
      HOST,
      node(),
      { id: 'i', type: 'inject', payload: '{"assistant_id":"asst_abc123"}', payloadType: 'json' },
      { id: 'f', type: 'function', func: "const asst_id = 'asst_Second'; msg.asst_name = asst_id;" },
      { id: 't', type: 'template', template: 'asst_3rd and asst_abc123' },
      {
        id: 'c',
        type: 'change',
        rules: [{ t: 'set', p: 'payload.assistant_id', to: 'asst_Fourth', tot: 'str' }],
      },
      { id: 'n', type: 'comment', info: 'asst_9', name: 'asst_8' },
      { id: 's', type: 'openai-runs-service', assistants: [{ id: 'asst_7' }] },
    ];
    const { backend, provider, assistants, name, version } = added(convert(flow), 'host');
    assert.deepEqual([backend, provider, name, version], ['embedded', 'rehearsal', 'OpenAI', 1]);
    assert.deepEqual(assistants, [
      { id: 'asst_abc123', name: 'Assistant 1' },
      { id: 'asst_Second', name: 'Assistant 2' },
      { id: 'asst_3rd', name: 'Assistant 3' },
      { id: 'asst_Fourth', name: 'Assistant 4' },
    ]);
  });

  it('know OpenAI by its address alone', () => {
    const openAI = (apiBase: string) => survey([{ ...HOST, apiBase }]).hosts[0]?.openAI;
    for (const address of ['', 'https://api.openai.com/v1', 'https://eu.api.openai.com/v1/']) {
      assert.equal(openAI(address), true, address);
    }
    for (const address of [
      'https://api.openai.com.example/v1',
      'http://myapi.openai.com',
      'api.openai.com',
      ':',
    ]) {
      assert.equal(openAI(address), false, address);
    }
  });

  it('stay on the same server otherwise, with the key where it was', () => {
    const { service, host } = server({ apiBaseType: 'str', secureApiKeyHeaderOrQueryName: 'Authorization' });
    assert.deepEqual(targetsOf(host), ['server', 'embedded']);
    assert.deepEqual(
      [service.backend, service.url, service.auth, service.authName, service.credentials, service.assistants],
      ['server', 'https://llm.example/v1', 'bearer', '', undefined, []],
    );
    assert.deepEqual(host.server?.note, { key: 'enterKey' });
    assert.equal(service.needsKey, true);
    const header = server({ secureApiKeyHeaderOrQueryName: 'api-key', organizationId: 'org-1' }).service;
    assert.deepEqual([header.auth, header.authName, header.organization], ['header', 'api-key', 'org-1']);
    for (const yes of [true, 'true']) {
      const query = server({ secureApiKeyHeaderOrQueryName: 'key', secureApiKeyIsQuery: yes }).service;
      assert.deepEqual([query.auth, query.authName], ['query', 'key']);
    }
    assert.equal(server({ secureApiKeyIsQuery: 'false' }).service.auth, 'bearer');
  });

  it('take from the environment what came from there', () => {
    const { service, host } = server({
      apiBase: 'LLM_URL',
      apiBaseType: 'env',
      secureApiKeyValueType: 'env',
      secureApiKeyValueRef: 'LLM_KEY',
      organizationId: env('LLM_ORG'),
      organizationIdType: 'env',
    });
    assert.deepEqual(
      [service.url, service.apiKeyType, service.apiKeyEnv, service.organization],
      [env('LLM_URL'), 'env', 'LLM_KEY', env('LLM_ORG')],
    );
    assert.deepEqual([service.urlType, service.credentials], ['str', undefined]);
    assert.deepEqual([host.server?.note, service.needsKey], [undefined, undefined]);
    const braced = server({ secureApiKeyValueType: 'env', secureApiKeyValueRef: env('LLM_KEY') }).service;
    assert.equal(braced.apiKeyEnv, 'LLM_KEY');
  });

  it('go on to take what each message brings, but for the key', () => {
    const { host, service } = server({
      apiBase: 'server',
      apiBaseType: 'msg',
      organizationId: '#:(file)::org',
      organizationIdType: 'flow',
      secureApiKeyValueType: 'global',
      secureApiKeyValueRef: 'key',
    });
    assert.deepEqual(targetsOf(host), ['server', 'embedded']);
    assert.deepEqual([host.address, host.addressFrom], [undefined, 'msg.server']);
    const { url, urlType, organization, organizationType } = service;
    const expected = ['server', 'msg', '#:(file)::org', 'flow'];
    assert.deepEqual([url, urlType, organization, organizationType], expected);
    assert.deepEqual(host.server?.note, { key: 'keyFrom', source: 'global.key' });
    assert.equal(service.needsKey, true);
    // How the key travels is fixed in a service.
    const place = { secureApiKeyHeaderOrQueryName: 'header', secureApiKeyHeaderOrQueryNameType: 'msg' };
    assert.deepEqual(targetsOf(server(place).host), ['embedded']);
  });
});
