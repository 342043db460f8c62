// Opens the answers of a box (docs/PROTOCOL.md §17). Not in constant time, which script can't promise.

import { derive, joined, words } from "./blake3.js";

// RFC 8439 §2.3: 64 bytes of ChaCha20's key stream.
export function block(key, counter, nonce) {
  // "expand 32-byte k"
  const start = Uint32Array.of(
    0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...words(key), counter, ...words(nonce),
  );
  const v = start.slice();
  const turn = (word, bits) => (word << bits) | (word >>> (32 - bits));
  const quarter = (a, b, c, d) => {
    for (const [first, second] of [[16, 12], [8, 7]]) {
      v[a] += v[b];
      v[d] = turn(v[d] ^ v[a], first);
      v[c] += v[d];
      v[b] = turn(v[b] ^ v[c], second);
    }
  };
  for (let round = 0; round < 20; round += 2) {
    for (let n = 0; n < 4; n++) quarter(n, 4 + n, 8 + n, 12 + n);
    for (let n = 0; n < 4; n++) quarter(n, 4 + ((n + 1) & 3), 8 + ((n + 2) & 3), 12 + ((n + 3) & 3));
  }
  return new Uint8Array(v.map((word, n) => word + start[n]).buffer);
}

// The lowest byte first.
function number(bytes) {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

// RFC 8439 §2.5: ((… (c1 · r + c2) · r …) mod 2^130 − 5) + s.
export function poly1305(key, message) {
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const part = message.subarray(at, at + 16);
    sum = ((sum + number(part) + (1n << BigInt(8 * part.length))) * r) % ((1n << 130n) - 5n);
  }
  sum += number(key.subarray(16));
  return Uint8Array.from({ length: 16 }, (_, byte) => Number((sum >> BigInt(8 * byte)) & 255n));
}

// RFC 8439 §2.8: what was sealed with a tag of 16 bytes behind it, beside data that is not secret. Throws if the tag is
// another.
export function open(key, nonce, data, sealed) {
  const [text, tag] = [sealed.subarray(0, -16), sealed.subarray(-16)];
  const padding = (bytes) => new Uint8Array(-bytes.length & 15);
  const lengths = new Uint8Array(BigUint64Array.of(BigInt(data.length), BigInt(text.length)).buffer);
  const tagged = joined([data, padding(data), text, padding(text), lengths]);
  const right = poly1305(block(key, 0, nonce).subarray(0, 32), tagged);
  if (right.reduce((other, byte, n) => other | (byte ^ tag[n]), 0) !== 0) throw new Error("bad seal");
  let stream;
  return text.map((byte, at) => {
    if (at % 64 === 0) stream = block(key, 1 + at / 64, nonce);
    return byte ^ stream[at % 64];
  });
}

// An answer as it is in its box: salt 16 ‖ index u16 ‖ sealed answer. Throws if it is none for these secrets.
export function answer({ secret, root }, relay, place) {
  const [salt, index] = [place.subarray(0, 16), place.subarray(16, 18)];
  let key = derive("kkv/2 2026-11-27 answer key", root, salt);
  for (let at = index[0] + 256 * index[1]; at > 0; at--) key = derive("kkv/2 2026-11-27 next answer key", key);
  const sealing = derive("kkv/2 2026-11-27 answer sealing key", key, relay, secret, salt, index);
  const opened = open(sealing, new Uint8Array(12), new Uint8Array(0), place.subarray(18));
  // time u64 ‖ kind ‖ 0 ‖ length u16 ‖ text ‖ zeros
  const length = opened[10] + 256 * opened[11];
  const isText = length > 0 && 12 + length <= opened.length && !opened[8] && !opened[9];
  if (!isText || opened.subarray(12 + length).some(Boolean)) throw new Error("no answer");
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return {
    time: Number(number(opened.subarray(0, 8))),
    text: utf8.decode(opened.subarray(12, 12 + length)),
    acknowledgement: derive("kkv/2 2026-11-27 acknowledgement", key),
  };
}
