// Uploads one file with tus-js-client: node upload.mjs '{"endpoint", "token", "path", "options"}' prints {"url"}.
// Packages come from NODE_CLIENTS, the folder that they were installed in.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';

const require = createRequire(`${process.env.NODE_CLIENTS}/`);
const tus = require('tus-js-client');
const { endpoint, token, path, options = {} } = JSON.parse(process.argv[2]);

// What has no length is a stream of which the client cannot see that it comes from a file.
const source = createReadStream(path);
const upload = new tus.Upload(options.uploadLengthDeferred ? source.pipe(new PassThrough()) : source, {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: 'a "b" ü.bin', filetype: 'application/octet-stream' },
  retryDelays: [0, 100, 300, 600, 1000],
  ...options,
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(JSON.stringify({ url: upload.url }));
  },
});
upload.start();
