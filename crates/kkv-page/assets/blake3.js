// D(context, parts) of docs/PROTOCOL.md §2: BLAKE3 derive_key, 32 bytes of output (BLAKE3's paper, §2), of what fits in
// one chunk of 1,024 bytes. Not in constant time, which script can't promise.

const IV = Uint32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
const ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
// Columns, then diagonals.
const MIXED = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];
const [START, END, ROOT, CONTEXT, MATERIAL] = [1, 2, 8, 32, 64];

// The chaining value that follows (§2.2), of a block of 16 words.
function compress(chain, block, length, flags) {
  const v = Uint32Array.of(...chain, ...IV.subarray(0, 4), 0, 0, length, flags);
  const turn = (word, bits) => (word >>> bits) | (word << (32 - bits));
  for (let round = 0; round < 7; round++) {
    MIXED.forEach(([a, b, c, d], step) => {
      for (const [half, first, second] of [[0, 16, 12], [1, 8, 7]]) {
        v[a] += v[b] + block[2 * step + half];
        v[d] = turn(v[d] ^ v[a], first);
        v[c] += v[d];
        v[b] = turn(v[b] ^ v[c], second);
      }
    });
    block = ORDER.map((word) => block[word]);
  }
  return chain.map((_, word) => v[word] ^ v[word + 8]);
}

function hash(key, bytes, mode) {
  let chain = key;
  for (let at = 0; at === 0 || at < bytes.length; at += 64) {
    const block = new Uint8Array(64);
    block.set(bytes.subarray(at, at + 64));
    const left = bytes.length - at;
    const flags = mode | (at === 0 ? START : 0) | (left <= 64 ? END | ROOT : 0);
    chain = compress(chain, words(block), Math.min(left, 64), flags);
  }
  return chain;
}

export function derive(context, ...parts) {
  const key = hash(IV, new TextEncoder().encode(context), CONTEXT);
  return new Uint8Array(hash(key, joined(parts), MATERIAL).buffer);
}

// Little-endian, as is every processor that browsers run on.
export function words(bytes) {
  return new Uint32Array(bytes.slice().buffer);
}

export function joined(parts) {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text) {
  return Uint8Array.from(text.match(/../g) || [], (digits) => parseInt(digits, 16));
}
