#!/usr/bin/env python3
"""Writes people.json beside it: identities by an implementation from the text of docs/LETTERS-FORMAT.md alone.

Cards, moves and revokes are signed there, too.

Needs `pip install blake3 mnemonic pynacl`. Everything comes from fixed seeds, so it writes the same each time.
"""

import base64
import json
import pathlib
import struct

import nacl.bindings
import nacl.signing
from blake3 import blake3
from mnemonic import Mnemonic

LABEL = "kkv letters 2026-11-28 "
PREFIX = b"kkv letters one\0"
LIST = Mnemonic("english").wordlist


def derive(label, data):
    return blake3(data, derive_key_context=LABEL + label).digest()


def words(label, entropy):
    bits = int.from_bytes(entropy, "big") << 4 | derive(label, entropy)[0] >> 4
    return " ".join(LIST[bits >> 11 * (11 - place) & 2047] for place in range(12))


def sign(key, label, data):
    return key.sign(PREFIX + derive(label, data)).signature


def public(seed):
    return bytes(nacl.signing.SigningKey(seed).verify_key)


class Identity:
    def __init__(self, seed):
        self.seed = seed
        self.signing = nacl.signing.SigningKey(derive("identity signing", seed))
        self.author = bytes(self.signing.verify_key)
        self.secret = derive("identity exchange", seed)
        self.exchange = nacl.bindings.crypto_scalarmult_base(self.secret)

    def agree(self, public):
        return nacl.bindings.crypto_scalarmult(self.secret, public)

    def chain(self, purpose, target):
        key = derive("chain tag key", self.seed)
        return blake3(bytes([purpose]) + target, key=key).digest()[:16]


class Successor(Identity):
    def __init__(self, entropy):
        super().__init__(derive("next identity", entropy)[:16])
        self.commitment = derive("successor", self.author)


SEEDS = [bytes(16), bytes(range(16)), b"\xff" * 16]


def identity(seed):
    one = Identity(seed)
    other = Identity(bytes(range(16, 32)))
    return {
        "seed": seed.hex(),
        "words": words("recovery words", seed),
        "author": one.author.hex(),
        "exchange": one.exchange.hex(),
        "agreed": one.agree(other.exchange).hex(),
        "self_circle": derive("self circle", seed).hex(),
        "chain": one.chain(5, b"target").hex(),
    }


def successor(entropy):
    next_one = Successor(entropy)
    return {
        "words": words("successor words", entropy),
        "next_words": words("recovery words", next_one.seed),
        "author": next_one.author.hex(),
        "commitment": next_one.commitment.hex(),
    }


ANN = Identity(bytes(range(16)))
NEXT = Successor(bytes(range(16)))
THIEF = Successor(bytes(range(16, 32)))
ISSUED = 3_600_000
# Coefficients below q = 3329, twelve bits each, and the seed of the matrix.
COEFFICIENTS = sum(place * 13 % 3329 << 12 * place for place in range(768))
SEALING = Identity(bytes(16)).exchange + COEFFICIENTS.to_bytes(1152, "little") + b"r" * 32


def machine(number=0, address=None, mailbox=None, sealing=SEALING):
    address = address or public(bytes([0x10 + number] * 32))
    mailbox = mailbox or public(bytes([0x20 + number] * 32))
    return address + mailbox + struct.pack("<I", ISSUED + 100) + sealing


def card(name=b"Ann", machines=(), person=ANN, exchange=None, issued=ISSUED, expires=ISSUED + 1000, version=1,
         successor=NEXT, count=None, tail=b"", signer=None):
    signed = bytes([version]) + person.author + (exchange or person.exchange) + struct.pack("<II", issued, expires)
    signed += successor.commitment + bytes([len(name)]) + name
    signed += bytes([len(machines) if count is None else count]) + b"".join(machines) + tail
    return signed + sign((signer or person).signing, "card", signed)


def short_form(author, address):
    keys = author + address
    return "KKV:" + base64.b32encode(keys + derive("card link", keys)[:4]).decode().rstrip("=")


def move(new=NEXT, signers=None):
    signed = b"\1" + ANN.author + new.author + struct.pack("<I", ISSUED)
    return signed + b"".join(sign(one.signing, "move", signed) for one in signers or (ANN, new))


def revoke(of, successor=NEXT):
    head = b"\1" + successor.author
    return head + sign(successor.signing, "revoke", head + of) + of


CARDS = {
    "no machine": dict(),
    "no name": dict(name=b"", machines=[machine()]),
    "four machines": dict(name="Zoë".encode(), machines=[machine(number) for number in range(4)]),
    "the longest name": dict(name=b"x" * 64),
}
NO_CARDS = {
    "another version": dict(version=2),
    "a name that is too long": dict(name=b"x" * 65),
    "a name that is no UTF-8": dict(name=b"\xff"),
    "a name that steers a terminal": dict(name=b"\x1b[2J"),
    "over when it is issued": dict(expires=ISSUED),
    "an exchange key of small order": dict(exchange=bytes(32)),
    "five machines": dict(machines=[machine(number) for number in range(5)]),
    "one address twice": dict(machines=[machine(0), machine(1, address=public(b"\x10" * 32))]),
    "one mailbox twice": dict(machines=[machine(0), machine(1, mailbox=public(b"\x20" * 32))]),
    "an address of small order": dict(machines=[machine(address=b"\1" + bytes(31))]),
    "a sealing key of small order": dict(machines=[machine(sealing=bytes(32) + SEALING[32:])]),
    "a sealing key that is not canonical": dict(machines=[machine(sealing=SEALING[:32] + b"\xff" * 1184)]),
    "fewer machines than it says": dict(count=1),
    "more behind it": dict(tail=b"\0"),
    "signed by another": dict(signer=NEXT),
}


def main():
    cards = []
    for name, fields in CARDS.items():
        whole = card(**fields)
        text = "kkv-card:" + base64.urlsafe_b64encode(whole).decode().rstrip("=")
        cards.append({"name": name, "card": whole.hex(), "text": text})
        if fields.get("machines"):
            cards[-1]["short"] = short_form(ANN.author, fields["machines"][0][:32])
    stolen = card(successor=THIEF)
    vectors = {
        "identities": [identity(seed) for seed in SEEDS],
        "successors": [successor(entropy) for entropy in SEEDS],
        "cards": cards,
        "no_cards": [{"name": name, "card": card(**fields).hex()} for name, fields in NO_CARDS.items()],
        "commitment": NEXT.commitment.hex(),
        "move": move().hex(),
        "no_moves": [one.hex() for one in (move(THIEF), move(signers=(ANN, ANN)), move(signers=(NEXT, NEXT)))],
        "revoke": revoke(card()).hex(),
        "no_revokes": [one.hex() for one in (revoke(stolen, THIEF), revoke(card(), THIEF), revoke(stolen))],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
