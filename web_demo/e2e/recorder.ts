/** A proxy that reaches nothing: it notes what a browser asks of other machines. */

import http from 'node:http';
import type {AddressInfo} from 'node:net';

export class Recorder {
  readonly addresses: string[] = [];

  private constructor(private readonly server: http.Server) {}

  static async start(): Promise<Recorder> {
    const recorder: Recorder = new Recorder(http.createServer((request, response) => {
      recorder.addresses.push(request.url!);
      response.writeHead(502).end();
    }));
    recorder.server.on('connect', (request, socket) => {
      recorder.addresses.push(request.url!);
      socket.destroy();
    });
    await new Promise<void>((resolve) => recorder.server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  /** Those that send all but this machine's addresses here. */
  get preferencesOfFirefox(): Record<string, unknown> {
    const {port} = this.server.address() as AddressInfo;
    const http = {'network.proxy.http': '127.0.0.1', 'network.proxy.http_port': port};
    const https = {'network.proxy.ssl': '127.0.0.1', 'network.proxy.ssl_port': port};
    return {'network.proxy.type': 1, ...http, ...https};
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
