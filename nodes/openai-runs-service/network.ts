/** Loaded only where it is wanted: a fetch that goes through a proxy, or that trusts and shows certificates. */
import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';

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
  fetch: typeof fetch;
  close(): Promise<void>;
}

/** Makes the fetch of a service. */
export function createNetwork({ tls, proxy, fromEnvironment }: NetworkOptions): Network {
  const dispatcher: Dispatcher =
    proxy || fromEnvironment ? throughProxy(proxy, tls) : new Agent({ connect: tls });
  return {
    fetch: ((input: Parameters<typeof undiciFetch>[0], init?: Parameters<typeof undiciFetch>[1]) =>
      undiciFetch(input, { ...init, dispatcher })) as unknown as typeof fetch,
    ...(proxy && { proxy: new URL(proxy.url) }),
    close: () => dispatcher.destroy(),
  };
}

function throughProxy(proxy: NetworkOptions['proxy'], tls: NetworkOptions['tls']): Dispatcher {
  const common = { connect: tls, requestTls: tls, proxyTunnel: false };
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
