"""Damaged copies of a file's bytes: a function of the seed."""

import random

WORDS = [b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
         b"\x80" * 9 + b"\x01", b"\xff" * 8, b"{", b"}", b"[", b'"', b"\n", b" ", b"#", b"-1", b"1e999",
         b"99999999999999999999", b"nan", b": ", b"- ", b"&a ", b"*a", b"\xc3", b"\xed\xa0\x80"]


def mutate(data, seed):
    """`data` cut off, or with some of its bytes changed, removed, repeated or put in."""
    rng = random.Random(seed)
    out = bytearray(data)
    if rng.random() < 0.2:
        del out[rng.randrange(len(out) + 1) if rng.random() < 0.7 else -rng.randint(1, 16):]
        return bytes(out)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if not out:
            break
        place = rng.randrange(len(out))
        for _ in range(3):  # bytes of zero tell little
            place = place if out[place] else rng.randrange(len(out))
        size = rng.choice([1, 2, 4, 8, rng.randint(1, len(out))])
        kind = rng.randrange(10)
        if kind < 4:
            out[place] ^= 1 << rng.randrange(8)
        elif kind < 6:
            out[place] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind == 6:
            word = rng.choice(WORDS)
            out[place:place + rng.choice([0, len(word)])] = word
        elif kind == 7:
            del out[place:place + size]
        elif kind == 8:
            out[place:place] = out[place:place + min(size, 1 << 12)]
        else:
            other = rng.randrange(len(out))
            out[place:place + size] = out[other:other + size]
    return bytes(out)
