#!/usr/bin/env python3
"""Writes sealed.json beside it: letters sealed by an implementation from the text of docs/LETTERS-FORMAT.md alone.

Needs `pip install blake3 cryptography kyber-py pynacl`. Everything comes from fixed seeds, so it writes the same each
time.
"""

import json
import pathlib
import struct

import nacl.bindings
import nacl.signing
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from kyber_py.ml_kem import ML_KEM_768

LABEL = "kkv letters 2026-11-28 "
PREFIX = b"kkv letters one\0"
ACTION, DIRECT = 1, 2
CREATED = 3_600_000
OPEN_REGION = b"kkv: the region that all may use"


def derive(label, data):
    return blake3(data, derive_key_context=LABEL + label).digest()


def keyed(key, data):
    return blake3(data, key=key).digest()


def padded(length):
    length = max(length, 1024)
    exponent = length.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    return (length + (1 << zeros) - 1) >> zeros << zeros


def agree(secret, public):
    return nacl.bindings.crypto_scalarmult(secret, public)


def public_of(secret):
    return nacl.bindings.crypto_scalarmult_base(secret)


def seal(key, text, associated=b""):
    return ChaCha20Poly1305(key).encrypt(bytes(12), text, associated)


class Stream:
    """Bytes that look random and are always the same."""

    def __init__(self, seed):
        self.seed, self.drawn = seed, 0

    def take(self, count):
        out = blake3(self.seed).digest(length=count, seek=self.drawn)
        self.drawn += count
        return out


class Person:
    def __init__(self, number):
        self.seed = bytes([number]) * 16
        self.signing = nacl.signing.SigningKey(derive("identity signing", self.seed))
        self.author = bytes(self.signing.verify_key)
        self.secret = derive("identity exchange", self.seed)
        self.exchange = public_of(self.secret)
        # What a sealing pair is made of: X25519's secret, then d and z of ML-KEM (FIPS 203, algorithm 16).
        self.drawn = Stream(b"pair" + self.seed).take(96)
        self.pair = public_of(self.drawn[:32])
        self.encapsulation, _ = ML_KEM_768._keygen_internal(self.drawn[32:64], self.drawn[64:])
        self.name = derive("sealing key", self.pair + self.encapsulation)

    def fingerprint(self):
        return blake3(self.author).digest()[:20]


def text(value):
    value = value.encode()
    return bytes([len(value)]) + value


def letter(purpose, content, device=bytes(4), number=0, audience=(), media_type="", name="", replies_to=None,
           target=None):
    out = bytes([purpose]) + device + struct.pack("<I", number) + bytes([len(audience)])
    out += b"".join(map(text, audience)) + text(media_type) + text(name)
    out += b"\0" if replies_to is None else b"\1" + replies_to
    out += b"\0" if target is None else bytes([2 if len(target) == 20 else 1]) + target
    return out + struct.pack("<I", len(content)) + content


def full(count):
    size = 1
    while size < count:
        size *= 2
    return size


def envelope(author, inside, circles, persons, region, random, key=None, to=None, mailboxes=(), action=False):
    """`key` and `to`, if it is direct: the key of the chain, and the addressee."""
    head = b""
    if to:
        head = author.author + author.exchange
        head += author.signing.sign(PREFIX + derive("exchange key", author.exchange)).signature
    length = padded(len(head) + (32 if to else 0) + len(inside))
    ephemeral = random.take(32)
    key = key or author.signing
    count = full(len(circles)), full(len(persons)) if persons else 0

    def clear(tag):
        out = bytes([1, (ACTION if action else 0) | (DIRECT if to else 0), *count]) + bytes(key.verify_key)
        out += struct.pack("<II", CREATED, 10_000) + tag + chain
        out += struct.pack("<III", 64 * CREATED, 0, length) + public_of(ephemeral)
        return out + b"".join(tags)

    chain = random.take(16)
    tags = []
    if to:
        tags = [derive("mailbox", mailbox + public_of(ephemeral))[:16] for mailbox in mailboxes]
        tags = sorted(tags + [random.take(16) for _ in range(4 - len(tags))])
    clear = clear(keyed(derive("region", region), clear(bytes(16)))[:16])
    bound = derive("clear part", clear)
    content_key = random.take(32)
    commitment = derive("commitment", content_key + bound)
    slots = [[], []]
    for circle in circles:
        tag = keyed(derive("circle tag", circle), bound)[:2]
        slots[0].append(tag + seal(keyed(derive("circle slot", circle), bound), content_key))
    for person in persons:
        found, opened = agree(ephemeral, person.exchange), agree(ephemeral, person.pair)
        secret, ciphertext = ML_KEM_768._encaps_internal(person.encapsulation, random.take(32))
        slot = derive("person slot", secret + opened + found + bound + person.exchange + person.name + ciphertext)
        tag = derive("person tag", found + person.name + bound)[:2]
        slots[1].append(tag + ciphertext + seal(slot, content_key))
    for kind, size in enumerate((50, 1138)):
        slots[kind] += [random.take(size) for _ in range(count[kind] - len(slots[kind]))]
        slots[kind].sort()
    content = inside
    if to:
        secrets = agree(author.secret, to.exchange) + content_key + author.author + to.author
        inside = inside + bytes(length - len(head) - 32 - len(inside))
        content = head + keyed(derive("direct letter", secrets), bound + commitment + head + inside) + inside
    content += bytes(length - len(content))
    body = clear + commitment + b"".join(slots[0] + slots[1]) + seal(content_key, content, bound)
    return body + key.sign(PREFIX + derive("envelope", blake3(body).digest())).signature, chain


def main():
    ann, bob, eve = map(Person, (1, 2, 3))
    friends, random = b"f" * 32, Stream(b"letters")
    post, chain = envelope(ann, letter(1, b"lake on saturday?", b"DEVA", 7, ["friends"]), [friends], [],
                           OPEN_REGION, random)
    this = ann.fingerprint() + chain
    public, _ = envelope(ann, letter(1, "hello all: \u00e9".encode()), [OPEN_REGION], [], OPEN_REGION, random)
    reply, _ = envelope(bob, letter(1, b"yes", replies_to=this), [friends], [], OPEN_REGION, random)
    like, _ = envelope(bob, letter(65, b"1", target=this), [friends], [], OPEN_REGION, random, action=True)
    persons, _ = envelope(ann, letter(4, bytes(range(256)) * 9, media_type="image/png", name="a.png"), [],
                          [bob, eve, ann], b"r" * 32, random)
    one_use = nacl.signing.SigningKey(random.take(32))
    mailboxes = [bytes(nacl.signing.SigningKey(bytes([n]) * 32).verify_key) for n in (1, 2)]
    direct, _ = envelope(ann, letter(64, b"1", target=bob.fingerprint()), [], [bob], OPEN_REGION, random, one_use,
                         bob, mailboxes, True)
    foreign, _ = envelope(eve, letter(1, b"to all of ann's"), [friends], [], OPEN_REGION, random)
    unproved, _ = envelope(eve, letter(1, b"I am ann"), [], [bob], OPEN_REGION, random, one_use, ann)
    vectors = {
        "friends": friends.hex(),
        "region": (b"r" * 32).hex(),
        "mailboxes": [mailbox.hex() for mailbox in mailboxes],
        "persons": [{"seed": person.seed.hex(), "pair": person.drawn.hex(), "name": person.name.hex()}
                    for person in (ann, bob, eve)],
        # Who opens it (by a circle or a slot of their own), and what it says.
        "sealed": [
            {"what": "post", "envelope": post.hex(), "readers": [0, 1], "by": 0, "says": b"lake on saturday?".hex()},
            {"what": "public", "envelope": public.hex(), "readers": [0, 1, 2], "by": 0,
             "says": "hello all: \u00e9".encode().hex()},
            {"what": "reply", "envelope": reply.hex(), "readers": [0, 1], "by": 1, "says": b"yes".hex()},
            {"what": "like", "envelope": like.hex(), "readers": [0, 1], "by": 1, "says": b"1".hex()},
            {"what": "persons", "envelope": persons.hex(), "readers": [0, 1, 2], "by": 0,
             "says": (bytes(range(256)) * 9).hex()},
            {"what": "direct", "envelope": direct.hex(), "readers": [1], "by": 0, "says": b"1".hex()},
        ],
        # Bob's slot or circle opens, and it MUST NOT be read.
        "refused": [
            {"what": "foreign", "envelope": foreign.hex()},
            {"what": "unproved", "envelope": unproved.hex()},
        ],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
