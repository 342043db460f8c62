#!/usr/bin/env python3
"""Writes people.json beside it: identities by an implementation from the text of docs/LETTERS-FORMAT.md alone.

Needs `pip install blake3 mnemonic pynacl`. Everything comes from fixed seeds, so it writes the same each time.
"""

import json
import pathlib

import nacl.bindings
import nacl.signing
from blake3 import blake3
from mnemonic import Mnemonic

LABEL = "kkv letters 2026-11-28 "
LIST = Mnemonic("english").wordlist


def derive(label, data):
    return blake3(data, derive_key_context=LABEL + label).digest()


def words(label, entropy):
    bits = int.from_bytes(entropy, "big") << 4 | derive(label, entropy)[0] >> 4
    return " ".join(LIST[bits >> 11 * (11 - place) & 2047] for place in range(12))


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


def main():
    vectors = {
        "identities": [identity(seed) for seed in SEEDS],
        "successors": [successor(entropy) for entropy in SEEDS],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
