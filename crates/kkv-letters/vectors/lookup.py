#!/usr/bin/env python3
"""Writes lookup.json beside it: look-up tables by an implementation from the text of docs/LETTERS-FORMAT.md alone.

Needs `pip install blake3`. Everything comes from fixed seeds, so it writes the same each time.
"""

import json
import pathlib
import struct

from blake3 import blake3

LABEL = "kkv letters 2026-11-28 "


def derive(label, data):
    return blake3(data, derive_key_context=LABEL + label).digest()


def envelope_id(number):
    return blake3(struct.pack("<Q", number)).digest()


def short(salt, name):
    return blake3(name, key=derive("lookup id", salt)).digest()[:8]


def places(salt, name, cells):
    words = struct.unpack("<5I", blake3(name, key=derive("lookup cells", salt)).digest()[:20])
    return words[0], [part * (cells // 4) + words[1 + part] % (cells // 4) for part in range(4)]


def table(salt, numbers, cells):
    rows = [[0, 0, 0] for _ in range(cells)]
    for number in numbers:
        name = short(salt, envelope_id(number))
        check, found = places(salt, name, cells)
        for place in found:
            rows[place][0] ^= int.from_bytes(name, "little")
            rows[place][1] ^= check
            rows[place][2] += 1
    return b"".join(struct.pack("<QIi", *row) for row in rows)


def case(salt, ours, theirs, cells):
    return {
        "salt": salt.hex(),
        "asker": [envelope_id(number).hex() for number in theirs],
        "asked": [envelope_id(number).hex() for number in ours],
        "digest": blake3(table(salt, theirs, cells)).hexdigest(),
        "cells": cells,
        "asked_alone": sorted(short(salt, envelope_id(number)).hex() for number in set(ours) - set(theirs)),
        "asker_alone": sorted(short(salt, envelope_id(number)).hex() for number in set(theirs) - set(ours)),
    }


def main():
    salt = bytes(range(16))
    vectors = {
        "table": table(salt, [1], 256).hex(),
        "cases": [
            case(salt, range(0), range(0), 256),
            case(salt, range(0, 40), range(20, 50), 256),
            case(bytes(16), range(0, 90), range(30, 60), 4096),
        ],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
