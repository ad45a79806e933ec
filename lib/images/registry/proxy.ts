import { isLoopback } from './host.js';

/**
 * The proxy through which the environment wants a URL to be asked, as Go's programs read it: `HTTPS_PROXY`, `HTTP_PROXY`,
 * `NO_PROXY`, also in lower case; never for this machine itself.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): string | undefined {
  const proxy =
    url.protocol === 'https:'
      ? (env.HTTPS_PROXY ?? env.https_proxy)
      : // HTTP_PROXY in capitals is what a CGI program's caller can set: httpoxy.org.
        (env.http_proxy ?? (env.REQUEST_METHOD === undefined ? env.HTTP_PROXY : undefined));
  if (proxy === undefined || proxy === '' || isLoopback(url.hostname)) return undefined;
  if (isExcepted(url, env.NO_PROXY ?? env.no_proxy ?? '')) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isExcepted(url: URL, exceptions: string): boolean {
  return exceptions
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(url, entry));
}

// `example.org` is for what is below it too, `.example.org` for that alone; a port restricts it further.
function matches(url: URL, entry: string): boolean {
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== portOf(url)) return false;
  const host = url.hostname.toLowerCase();
  const suffix = name.replace(/^\*\./, '.');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}
