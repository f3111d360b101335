/** Loaded with the first request that leaves this process: a fetch without time limits of its own, with certificates or a proxy. */
import type { Dispatcher } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import AnyDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import { fetch as undiciFetch } from 'undici/lib/web/fetch/index.js';

// What undici's index does for all dispatchers; a proxy tunnels by it.
Object.assign(AnyDispatcher.prototype, { connect });

export interface NetworkOptions {
  /** Node's own TLS options, as Node-RED's `tls-config` node gives them. */
  tls?: Record<string, unknown>;
  proxy?: {
    url: string;
    /** Hosts that are reached directly, as in `NO_PROXY`. */
    except: string[];
    username?: string;
    password?: string;
  };
  /** Whether the environment names a proxy, to be used where the service names none. */
  fromEnvironment?: boolean;
}

export interface Network {
  /** The proxy that the service names. */
  proxy?: URL;
  /** What of the way must not be shown. */
  secrets: string[];
  fetch: typeof fetch;
  close(): Promise<void>;
}

/** Off: undici would give up after 300 s of silence, whatever the service's timeout says. */
const NO_LIMITS = { headersTimeout: 0, bodyTimeout: 0 };

/** Makes the fetch of a service. How long an answer may take is its caller's affair. */
export function createNetwork({ tls, proxy, fromEnvironment }: NetworkOptions): Network {
  const dispatcher: Dispatcher =
    proxy || fromEnvironment ? throughProxy(proxy, tls) : new Agent({ ...NO_LIMITS, connect: tls });
  return {
    fetch: ((input: Parameters<typeof undiciFetch>[0], init?: Parameters<typeof undiciFetch>[1]) =>
      undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch,
    ...(proxy && { proxy: new URL(proxy.url) }),
    secrets: [proxy?.password ?? ''],
    close: () => dispatcher.destroy(),
  };
}

function throughProxy(proxy: NetworkOptions['proxy'], tls: NetworkOptions['tls']): Dispatcher {
  const common = { ...NO_LIMITS, connect: tls, requestTls: tls, proxyTunnel: false };
  if (!proxy) return new EnvHttpProxyAgent(common);
  const { url, except, username = '', password = '' } = proxy;
  const login = username || password ? Buffer.from(`${username}:${password}`).toString('base64') : '';
  return new EnvHttpProxyAgent({
    ...common,
    httpProxy: url,
    httpsProxy: url,
    noProxy: except.join(','),
    ...(login && { token: `Basic ${login}` }),
  });
}
