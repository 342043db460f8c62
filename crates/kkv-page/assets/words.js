// The twelve words (docs/PROTOCOL.md §17, "Secrets"), and whether a message gives them away.

import { derive } from "./blake3.js";

// No two words of the list begin with the same so many letters.
const TELLING = 4;
// Within so many bytes of a file they are taken for the words.
const NEAR = 1024;

let list; // once it has come

// The list: of each word a digit, how many letters it shares with the one before, and its other letters.
export async function load() {
  if (list) return list;
  const answer = await fetch("/words.txt");
  if (!answer.ok) throw new Error("no list");
  const coded = (await answer.text()).matchAll(/(\d)(\D+)/g);
  let word = "";
  return (list = Array.from(coded, ([, shared, rest]) => (word = word.slice(0, shared) + rest)));
}

// 128 bits, then the first four of D(…), eleven to a word.
function bits(entropy) {
  const [checksum] = derive("kkv 2026-11-27 reply words", entropy);
  return entropy.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n) * 16n + BigInt(checksum >> 4);
}

export function spell(entropy, list) {
  const all = bits(entropy);
  return Array.from({ length: 12 }, (_, n) => list[Number((all >> BigInt(121 - 11 * n)) & 2047n)]);
}

// What is neither a sign between words nor a number before one.
function typed(text) {
  return text.split(/[^\p{Alphabetic}\p{N}]+/u).map((word) => word.replace(/^[0-9]+/, "")).filter(Boolean);
}

function isShortFor(typed, word) {
  return typed.length >= Math.min(TELLING, word.length) && word.startsWith(typed.toLowerCase());
}

// Where typed words stand in the list; -1 for each that doesn't.
function places(typed, list) {
  const telling = new Map(list.map((word, place) => [word.slice(0, TELLING), place]));
  return typed.map((word) => {
    const lower = word.toLowerCase();
    const place = telling.get(lower.slice(0, TELLING)) ?? -1;
    return list[place]?.startsWith(lower) ? place : -1;
  });
}

// The bits of twelve of them, and the entropy of these.
function unspelt(twelve) {
  const written = twelve.reduce((sum, place) => (sum << 11n) | BigInt(place), 0n);
  return [written, Uint8Array.from({ length: 16 }, (_, n) => Number((written >> BigInt(124 - 8 * n)) & 255n))];
}

// The same if their checksum is right.
function entropyOf(twelve) {
  const [written, entropy] = unspelt(twelve);
  return bits(entropy) === written && entropy;
}

// Whether twelve typed words have the checksum that BIP 39 gives them.
export async function areOfBip39(text, list) {
  const [written, entropy] = unspelt(places(typed(text), list));
  const digest = await crypto.subtle?.digest("SHA-256", entropy); // which some browsers don't have
  return !!digest && BigInt(new Uint8Array(digest)[0] >> 4) === (written & 15n);
}

// What somebody has typed: { entropy }; or what is wrong, { unknown }, { count }, or neither.
export function read(text, list) {
  const all = typed(text);
  const twelve = places(all.slice(0, 12), list);
  const unknown = twelve.indexOf(-1);
  if (unknown >= 0) return { unknown: all[unknown] };
  if (all.length !== 12) return { count: all.length };
  return { entropy: entropyOf(twelve) };
}

// Whether the words of some conversation stand in a text, one after the other.
export function anyStandIn(text, list) {
  const all = places(typed(text), list);
  return all.some((_, first) => {
    const twelve = all.slice(first, first + 12);
    return twelve.length === 12 && !twelve.includes(-1) && entropyOf(twelve);
  });
}

function runTogether(text, words) {
  const letters = text.replace(/[^A-Za-z]/g, "").toLowerCase();
  return letters.includes(words.join("")) || letters.includes(words.map((word) => word.slice(0, TELLING)).join(""));
}

// Whether all of them stand in a text, in whatever order.
export function areIn(text, words) {
  const all = typed(text);
  return words.every((word) => all.some((typed) => isShortFor(typed, word))) || runTogether(text, words);
}

// Whether they stand in a file in their order, near each other; in a long one, all of them may stand somewhere.
export function areInFile(bytes, words) {
  const text = new TextDecoder("latin1").decode(bytes);
  const follow = (near) => {
    let next = 0;
    for (const [word] of near.matchAll(/[A-Za-z0-9]+/g)) {
      if (isShortFor(word.replace(/^[0-9]+/, ""), words[next])) next += 1;
      if (next === words.length) return true;
    }
    return false;
  };
  for (const { 0: word, index } of text.matchAll(/[A-Za-z0-9]+/g)) {
    const begins = isShortFor(word.replace(/^[0-9]+/, ""), words[0]);
    if (begins && follow(text.slice(index, index + NEAR))) return true;
  }
  return runTogether(text, words);
}
