/** What Docker Hub is called in references, and where its registry is. */
const HUB = 'docker.io';
const HUB_REGISTRY = 'registry-1.docker.io';

/** A reference's registry as an authority of URLs. */
export function authorityOf(domain: string): string {
  return domain === HUB ? HUB_REGISTRY : domain;
}

/** Names under which credentials for a registry may be filed; Docker files its Hub's under an old URL. */
export function credentialKeys(domain: string): readonly string[] {
  return domain === HUB ? ['index.docker.io', HUB, HUB_REGISTRY] : [domain];
}

/** What credential helpers want to be asked for. */
export function helperKey(domain: string): string {
  return domain === HUB ? 'https://index.docker.io/v1/' : domain;
}

/** Whether a host name, as URLs have it, is this machine's own. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}
