// The same gateway in Node: Fastify in front, undici behind, opossum as the circuit breaker.
// It does what ours does: verifies the token (and remembers it), gives a request id, passes on what is not of one
// connection, logs a line, counts in histograms.
//   node gateway.js PORT UPSTREAM_PORT PUBLIC_KEY.pem PROCESSES
import cluster from 'node:cluster';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import CircuitBreaker from 'opossum';
import fastify from 'fastify';
import promClient from 'prom-client';
import { Pool } from 'undici';

const [port, upstreamPort, keyFile, processes] = process.argv.slice(2);

if (cluster.isPrimary && Number(processes) > 1) {
  for (let index = 0; index < Number(processes); ++index) cluster.fork();
  process.on('SIGTERM', () => process.exit(0));
} else {
  serve();
}

function makeTokenCheck(key) {
  const remembered = new Map(); // token → claims
  return (header) => {
    if (!header?.startsWith('Bearer ')) return undefined;
    const token = header.slice(7);
    const known = remembered.get(token);
    if (known !== undefined) return known.exp > Date.now() / 1000 ? known : undefined;
    const [head, claims, signature] = token.split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    const { alg } = JSON.parse(Buffer.from(head, 'base64url'));
    const options = key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key;
    const digest = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
    if (!verify(digest, signed, options, Buffer.from(signature, 'base64url'))) return undefined;
    const fresh = JSON.parse(Buffer.from(claims, 'base64url'));
    if (remembered.size < 10000) remembered.set(token, fresh);
    return fresh.exp > Date.now() / 1000 ? fresh : undefined;
  };
}

const ofOneConnection = new Set(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'host',
  'content-length', 'proxy-authorization', 'proxy-connection']);

function headersToForward(request) {
  const headers = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!ofOneConnection.has(name)) headers[name] = value;
  }
  headers['x-forwarded-for'] = request.ip;
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = request.headers.host;
  headers.via = '1.1 node';
  headers['x-request-id'] = request.id;
  return headers;
}

function bufferedStdout() {
  let lines = '';
  setInterval(() => {
    if (lines !== '') writeSync(1, lines);
    lines = '';
  }, 200);
  return { write: (line) => { lines += line; } };
}

function serve() {
  const checkToken = makeTokenCheck(createPublicKey(readFileSync(keyFile)));
  const upstream = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 64, pipelining: 1 });
  const breaker = new CircuitBreaker(
    async (request) => {
      const answer = await upstream.request({
        method: request.method,
        path: request.url.slice('/v1'.length),
        headers: headersToForward(request),
        body: request.body,
      });
      if (answer.statusCode >= 500) throw Object.assign(new Error('upstream failed'), { answer });
      return answer;
    },
    { timeout: 5000, errorThresholdPercentage: 50, resetTimeout: 5000, volumeThreshold: 20 },
  );
  const durations = new promClient.Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer',
    labelNames: ['method', 'route', 'status'],
  });
  const app = fastify({
    logger: { level: 'info', stream: bufferedStdout() },
    disableRequestLogging: true, // two lines each; one of our own below
    keepAliveTimeout: 300_000,
    genReqId: () => randomUUID(),
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.url.startsWith('/v1/') && checkToken(request.headers.authorization) === undefined) {
      return reply.code(401).send({ status: 401, code: 'unauthorized' });
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip } = request;
    request.log.info({ method, url, peer: ip, status: reply.statusCode, ms: reply.elapsedTime }, 'request');
    durations.observe({ method, route: request.routeOptions.url, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get('/health', async () => ({ status: breaker.opened ? 'degraded' : 'ok' }));
  app.all('/v1/*', async (request, reply) => {
    try {
      const answer = await breaker.fire(request);
      reply.code(answer.statusCode);
      for (const [name, value] of Object.entries(answer.headers)) {
        if (name === 'content-length' || !ofOneConnection.has(name)) reply.header(name, value);
      }
      return reply.send(answer.body);
    } catch (error) {
      return reply.code(503).header('retry-after', '1').send({ status: 503, code: error.code ?? 'unavailable' });
    }
  });
  app.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
}
