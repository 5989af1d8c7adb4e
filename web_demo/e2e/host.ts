/** A host for the page: counts bytes, can leave out headers, and can be switched off. */

import http from 'node:http';
import type {AddressInfo} from 'node:net';

export class Host {
  bytes = 0;
  readonly paths: string[] = [];
  url = '';
  /** Requests whose paths end so are never answered. */
  unanswered: string | undefined;

  private constructor(private readonly server: http.Server) {}

  /** @param plain whether it sends no headers of its own, as hosts do that cannot be told to */
  static async start(upstream: string, plain = false): Promise<Host> {
    const host: Host = new Host(http.createServer((request, response) => {
      host.paths.push(request.url!);
      if (host.unanswered && request.url!.endsWith(host.unanswered)) return;
      http.get(new URL(request.url!, upstream), {headers: request.headers}, (answer) => {
        const headers = {...answer.headers};
        for (const name of Object.keys(headers)) if (plain && name.startsWith('cross-origin')) delete headers[name];
        response.writeHead(answer.statusCode!, headers);
        answer.on('data', (chunk: Buffer) => (host.bytes += chunk.length));
        answer.pipe(response);
      }).on('error', () => response.destroy());
    }));
    await new Promise<void>((resolve) => host.server.listen(0, '127.0.0.1', resolve));
    host.url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}/`;
    return host;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
