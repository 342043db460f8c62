#!/usr/bin/env python3
"""Writes letters.json beside it: envelopes by an implementation from the text of docs/LETTERS-FORMAT.md alone.

Needs `pip install blake3 pynacl`. Everything comes from fixed seeds, so it writes the same each time.
"""

import json
import pathlib
import struct

import nacl.signing
from blake3 import blake3

LABEL = "kkv letters 2026-11-28 "
PREFIX = b"kkv letters one\0"
ACTION, DIRECT, TOMBSTONE, ERASE = 1, 2, 4, 8
MONTH = 30 * 24 * 60
CREATED = 3_600_000


def derive(label, data):
    return blake3(data, derive_key_context=LABEL + label).digest()


def padded(length):
    length = max(length, 1024)
    exponent = length.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    return (length + (1 << zeros) - 1) >> zeros << zeros


def envelope(seed, flags=0, circles=0, persons=0, content=0, lifetime=MONTH, revision=64 * CREATED, before=0,
             created=CREATED, commitment=bytes(32), version=1, tags=None, mailboxes=b""):
    key = nacl.signing.SigningKey(seed)
    body = bytes([version, flags, circles, persons]) + bytes(key.verify_key)
    body += struct.pack("<II", created, lifetime) + b"R" * 16 + b"C" * 16
    body += struct.pack("<III", revision, before, content) + b"E" * 32 + mailboxes + commitment
    tags = tags or range(circles + persons)
    for place, tag in enumerate(tags):
        rest = 48 if place < circles else 1088 + 48
        body += struct.pack("<H", tag) + bytes([place]) * rest
    body += b"S" * (content + 16 if content else 0)
    name = blake3(body).digest()
    signature = key.sign(PREFIX + derive("envelope", name)).signature
    return body + signature, name


def person(seed):
    public = bytes(nacl.signing.SigningKey(seed).verify_key)
    digest = derive("check number", public)
    groups = [int.from_bytes(digest[i:i + 5], "big") % 100_000 for i in range(0, 30, 5)]
    return {
        "public": public.hex(),
        "fingerprint": blake3(public).digest()[:20].hex(),
        "check_number": " ".join(f"{group:05}" for group in groups),
    }


SEED = bytes(range(32))
TAKEN = {
    "tombstone": dict(flags=TOMBSTONE),
    "tombstone of an action": dict(flags=TOMBSTONE | ACTION),
    "tombstone of a direct chain": dict(flags=TOMBSTONE | DIRECT, mailboxes=bytes(range(64))),
    "erase": dict(flags=ERASE | ACTION, before=CREATED),
    "one circle": dict(circles=1, content=1024, lifetime=1, commitment=b"K" * 32),
    "two circles, four persons, direct": dict(flags=DIRECT, circles=2, persons=4, content=1088,
                                              commitment=b"K" * 32, mailboxes=b"M" * 64),
    "sixty-four circles": dict(circles=64, content=2048),
    "as far ahead as a revision may be": dict(flags=TOMBSTONE, revision=64 * (CREATED + 11)),
}
REFUSED = {
    "another version": dict(flags=TOMBSTONE, version=2),
    "a flag without meaning": dict(flags=TOMBSTONE | 16),
    "tombstone and erase": dict(flags=TOMBSTONE | ERASE | ACTION, before=1),
    "an erase that is no action": dict(flags=ERASE, before=1),
    "a direct erase": dict(flags=ERASE | ACTION | DIRECT, before=1, mailboxes=bytes(64)),
    "a time to erase without its flag": dict(flags=TOMBSTONE, before=1),
    "an erase of what comes later": dict(flags=ERASE | ACTION, before=CREATED + 1),
    "a tombstone that lives for less than 30 days": dict(flags=TOMBSTONE, lifetime=MONTH - 1),
    "a lifetime of nothing": dict(circles=1, content=1024, lifetime=0),
    "a lifetime of more than 30 days": dict(circles=1, content=1024, lifetime=MONTH + 1),
    "a revision ahead of its time": dict(flags=TOMBSTONE, revision=64 * (CREATED + 11) + 1),
    "a revision before its time": dict(flags=TOMBSTONE, revision=64 * CREATED - 1),
    "a tombstone with a slot": dict(flags=TOMBSTONE, circles=1),
    "a tombstone with content": dict(flags=TOMBSTONE, content=1024),
    "a tombstone with a commitment": dict(flags=TOMBSTONE, commitment=b"K" * 32),
    "no slot": dict(content=1024),
    "no circle": dict(persons=1, content=1024),
    "three circles": dict(circles=3, content=1024),
    "more than 64 slots": dict(circles=64, persons=1, content=1024),
    "content that is too short": dict(circles=1, content=512),
    "content that is not padded": dict(circles=1, content=1025),
    "no content": dict(circles=1),
    "two slots with one tag": dict(circles=1, persons=1, content=1024, tags=[7, 7]),
    "mailboxes of a carried one": dict(flags=TOMBSTONE, mailboxes=bytes(64)),
    "no mailboxes of a direct one": dict(flags=TOMBSTONE | DIRECT),
}


def main():
    taken = []
    for name, fields in TAKEN.items():
        whole, digest = envelope(SEED, **fields)
        taken.append({"name": name, "envelope": whole.hex(), "id": digest.hex()})
    refused = [{"name": name, "envelope": envelope(SEED, **fields)[0].hex()} for name, fields in REFUSED.items()]
    lengths = [0, 1023, 1024, 1025, 4095, 4096, 4097, 65_537, 100_000, 250_000]
    vectors = {
        "persons": [person(SEED), person(bytes(32))],
        "padded": [[length, padded(length)] for length in lengths],
        "taken": taken,
        "refused": refused,
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
