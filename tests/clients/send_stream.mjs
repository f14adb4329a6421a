// node send_stream.mjs URL TOKEN SIZE < block: uploads a stream of the block again and again by fetch, downloads it by
// fetch, and prints the file that the server answered and the SHA-256 of what came back.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [url, token, sizeText] = process.argv.slice(2);
const block = readFileSync(0);
const size = Number(sizeText);
const authorization = { Authorization: `Bearer ${token}` };

let left = size;
const stream = new ReadableStream({
  pull(controller) {
    if (left === 0) return controller.close();
    const piece = block.subarray(0, Math.min(left, block.length));
    left -= piece.length;
    controller.enqueue(new Uint8Array(piece));
  },
});
const sent = await fetch(`${url}/v1/media/upload?filename=stream.bin`, {
  method: 'POST',
  headers: { ...authorization, 'Content-Type': 'application/octet-stream' },
  body: stream,
  duplex: 'half',
});
const file = await sent.json();
if (sent.status !== 201) throw new Error(JSON.stringify(file));
const got = await fetch(`${url}/v1/media/download/${file.id}`, { headers: authorization });
const digest = createHash('sha256');
for await (const piece of got.body) digest.update(piece);
console.log(JSON.stringify({ file, status: got.status, downloaded: digest.digest('hex') }));
