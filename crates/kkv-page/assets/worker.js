// The search for the nonces of a payment (docs/PROTOCOL.md §5 and §18). The page starts one of these on each core.
//
// { measure }                  → { rate }: tries a second in each class, measured for so many milliseconds
// { challenge, class, key, bits, first, step } → { challenge, nonce } for each that is found, until another message comes
// {}                           stops it
"use strict";

const IV = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a];
const FLAGS = 1 | 2 | 8 | 16; // start and end of a chunk, root, keyed: all of it is one block
const BATCH = 1 << 14;

// Counts the messages: a search ends when another has come.
let job = 0;

onmessage = ({ data }) => {
  job += 1;
  if (data.measure) measure(data.measure);
  if (data.key) (data.class === "pbkdf2" ? searchDerived : search)(data, job);
};
postMessage({ ready: true });

async function measure(milliseconds) {
  const hash = rate(milliseconds);
  const pbkdf2 = await derivedRate(milliseconds).catch(() => 0); // this browser has none
  postMessage({ rate: { hash, pbkdf2 } });
}

async function derivedRate(milliseconds) {
  const derive = await deriving(new Array(8).fill(0));
  const until = async (time) => {
    for (let tries = 1; ; tries++) {
      await derive(tries, Math.random() * 2 ** 32); // nothing twice: Firefox keeps what it has derived
      const now = performance.now();
      if (now >= time) return { now, tries };
    }
  };
  const began = await until(performance.now() + 50);
  const { now, tries } = await until(began.now + milliseconds);
  return (tries * 1000) / (now - began.now);
}

// What derives a key from a nonce: the browser's own PBKDF2.
async function deriving(words) {
  const name = "PBKDF2";
  const key = await crypto.subtle.importKey("raw", Uint32Array.from(words), name, false, ["deriveBits"]);
  const how = { name, hash: "SHA-256", iterations: 1250 };
  return (high, low) => crypto.subtle.deriveBits({ ...how, salt: Uint32Array.of(low, high) }, key, 256);
}

// As `search`, but each nonce has a key of its own, which is told with it.
async function searchDerived({ challenge, key, bits, first }, mine) {
  const derive = await deriving(key);
  const mask = leading(bits);
  for (let low = 0; ; low++) { // nobody tries 2^32 of these
    const derived = new Uint8Array(await derive(first, low));
    if (job !== mine) return;
    if (find(prepared(new Uint32Array(derived.buffer)), first, low, 1, mask) < 0) continue;
    const bytes = Array.from(derived, (byte) => byte.toString(16).padStart(2, "0"));
    postMessage({ challenge, nonce: hex(first) + hex(low) + bytes.join("") });
  }
}

function rate(milliseconds) {
  const start = prepared(new Array(8).fill(0));
  let hashes;
  const until = (time) => {
    hashes = 0;
    let now;
    do {
      find(start, 0, 0, BATCH >> 4, -1);
      hashes += BATCH >> 4;
      now = performance.now();
    } while (now < time);
    return now;
  };
  // By then it is compiled. Tor Browser's clock ticks ten times a second: this ends, and the next begins, at a tick.
  const began = until(performance.now() + 50);
  const ended = until(began + milliseconds);
  return (hashes * 1000) / (ended - began);
}

// `key`: eight words. The upper halves of the nonces are `first` and every `step` from there on.
function search({ challenge, key, bits, first, step }, mine) {
  const start = prepared(key);
  const mask = leading(bits);
  let [high, low] = [first, 0];
  const go = () => {
    if (job !== mine) return;
    const pause = performance.now() + 200;
    do {
      const end = low + BATCH;
      while (low < end) {
        const found = find(start, high, low, end - low, mask);
        if (found < 0) break;
        postMessage({ challenge, nonce: hex(high) + hex(low + found) });
        low += found + 1;
      }
      low = end;
      if (low === 2 ** 32) [high, low] = [high + step, 0];
    } while (performance.now() < pause);
    setTimeout(go); // so that messages are heard
  };
  go();
}

function hex(word) {
  return word.toString(16).padStart(8, "0");
}

// The first `bits` bits of a hash, in its first word: the first byte is the lowest.
function leading(bits) {
  let mask = 0;
  for (let bit = 0; bit < bits; bit++) mask |= 1 << ((bit & 24) + 7 - (bit & 7));
  return mask;
}

// BLAKE3's state before a nonce matters: only the last of the first round's eight steps adds words of it.
function prepared(key) {
  const v = Int32Array.of(...key, ...IV, 0, 0, 64, FLAGS); // counter 0, length 64
  const turn = (word, bits) => (word >>> bits) | (word << (32 - bits));
  const mix = (a, b, c, d) => {
    for (const [first, second] of [[16, 12], [8, 7]]) {
      v[a] += v[b];
      v[d] = turn(v[d] ^ v[a], first);
      v[c] += v[d];
      v[b] = turn(v[b] ^ v[c], second);
    }
  };
  mix(0, 4, 8, 12); mix(1, 5, 9, 13); mix(2, 6, 10, 14); mix(3, 7, 11, 15);
  mix(0, 5, 10, 15); mix(1, 6, 11, 12); mix(2, 7, 8, 13);
  return v;
}

// How far from `first` on the first nonce is, of `count`, with none of the mask's bits in the first word of
// BLAKE3 keyed_hash(key, 56 zero bytes ‖ low u32 ‖ high u32); −1 if there is none.
//
// Each step of each round stands here in two lines, as BLAKE3's G is in its paper (§2.2), without the words that are
// zero. What leads to other words of the output is left out of the last round. Tor Browser may have no compiler for
// script, so a loop or a call would cost as much as what it spares to read.
function find(start, high, first, count, mask) {
  high |= 0;
  for (let n = 0; n < count; n++) {
    const low = (first + n) | 0;
    let v0 = start[0], v1 = start[1], v2 = start[2], v3 = start[3], v4 = start[4], v5 = start[5], v6 = start[6];
    let v7 = start[7], v8 = start[8], v9 = start[9], va = start[10], vb = start[11], vc = start[12], vd = start[13];
    let ve = start[14], vf = start[15];
    // Round 1.
    v3 = v3 + v4 + low | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 + high | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 2.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 16 | vc << 16; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 8 | vc << 24; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 + low | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 + high | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 3.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 + low | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 16 | vc << 16; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 8 | vc << 24; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 + high | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 4.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 + low | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 + high | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 16 | vc << 16; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 8 | vc << 24; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 5.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 + high | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 + low | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 16 | vc << 16; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 8 | vc << 24; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 6.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 + low | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 + high | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 16 | vc << 16; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 | 0; vc ^= v1; vc = vc >>> 8 | vc << 24; vb = vb + vc | 0; v6 ^= vb; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 16 | ve << 16; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 | 0; ve ^= v3; ve = ve >>> 8 | ve << 24; v9 = v9 + ve | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    // Round 7.
    v0 = v0 + v4 | 0; vc ^= v0; vc = vc >>> 16 | vc << 16; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 + high | 0; vc ^= v0; vc = vc >>> 8 | vc << 24; v8 = v8 + vc | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 16 | vd << 16; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 | 0; vd ^= v1; vd = vd >>> 8 | vd << 24; v9 = v9 + vd | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 16 | ve << 16; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 | 0; ve ^= v2; ve = ve >>> 8 | ve << 24; va = va + ve | 0; v6 ^= va; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 16 | vf << 16; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 | 0; vf ^= v3; vf = vf >>> 8 | vf << 24; vb = vb + vf | 0; v7 ^= vb; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 + low | 0; vf ^= v0; vf = vf >>> 16 | vf << 16; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 | 0; vf ^= v0; vf = vf >>> 8 | vf << 24; va = va + vf | 0; v5 ^= va; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 16 | vd << 16; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 | 0; vd ^= v2; vd = vd >>> 8 | vd << 24; v8 = v8 + vd | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    if (((v0 ^ v8) & mask) === 0) return n;
  }
  return -1;
}
