import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

export interface Tls {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A server of the test's own on loopback, for what no real registry does; it keeps what it was asked. */
export class Server implements AsyncDisposable {
  private constructor(
    /** `127.0.0.1:port`. */
    readonly name: string,
    private readonly server: HttpServer,
    /** Each request as `GET /path authorization?`. */
    readonly asked: string[],
  ) {}

  /** @param tls - by default plain HTTP */
  static async start(listener: RequestListener, tls?: Tls): Promise<Server> {
    const asked: string[] = [];
    const listen: RequestListener = (request, response) => {
      const authorization = request.headers.authorization === undefined ? '' : ' authorized';
      asked.push(`${request.method} ${request.url}${authorization}`);
      listener(request, response);
    };
    const server = tls === undefined ? createServer(listen) : createSecureServer(tls, listen);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return new Server(`127.0.0.1:${port}`, server, asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
