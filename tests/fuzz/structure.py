"""Damages that know what a file is made of: numbers of texts, fields of messages, pages, headers, objects of HDF5.

damage(path, seed) rewrites a file in its own format, with one thing in it that no writer would write, and returns what
that was; the same seed does the same.
"""

import gzip
import io
import random
import re
import struct
import zipfile
import zlib

import databases
import h5py
import numpy as np

SIZES = [0, 1, -1, 2**31 - 1, 2**31, 2**32 - 1, -(2**31), 2**62, 2**63 - 1, 2**64 - 1, 10**7]
NUMBERS = [*map(str, SIZES), "nan", "inf", "-inf", "1e38", "1e999", "9" * 5000, "0x1", "1.5", ""]
WORDS = ['""', '"\\000"', "{", "}", "[", "]", "&a [*a]", "*a", "!!python/object:os.system x", "2001-99-99", "? [a]",
         "x" * 100_000, '"' + "\\xff" + '"', "{" * 3000, "[" * 3000, "- " * 3000]
TOKEN = re.compile(rb'"[^"]*"|-?\d[\w.+-]*|\w+|[{}\[\]:]')


def text(data, rng):
    tokens = list(TOKEN.finditer(data))
    if not tokens:
        return b"\0", "NUL"
    token = rng.choice(tokens)
    kind = rng.randrange(6)
    if kind == 0:
        return data[:token.start()], "cut at a token"
    if kind == 1:
        place, extra = token.end(), rng.choice([b"\0", b"\xff\xfe", b"\xc3", b"\x1b", b"\r\n" * 9, data])
        return data[:place] + extra + data[place:], f"{extra[:4]!r} put in"
    numbers = [token for token in tokens if token[0][:1].isdigit() or token[0][:1] == b"-"]
    if kind < 4 and numbers:
        token, word = rng.choice(numbers), rng.choice(NUMBERS)
    else:
        word = rng.choice(WORDS)
    return data[:token.start()] + word.encode() + data[token.end():], f"{token[0][:20]!r} -> {word[:20]!r}"


def varint(value):
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def read_varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def fields(data, first, last, depth=0):
    """(start of the tag, start of what follows it, its end, number, wire type) of all fields that can be told."""
    found, place = [], first
    try:
        while place < last:
            tag, start = read_varint(data, place)
            kind, end = tag & 7, start
            if kind == 0:
                end = read_varint(data, start)[1]
            elif kind == 2:
                length, body = read_varint(data, start)
                end = body + length
                if end <= last and depth < 6:
                    found += fields(data, body, end, depth + 1)
            elif kind in (1, 5):
                end = start + (8 if kind == 1 else 4)
            else:
                return []
            if end > last or tag >> 3 == 0:
                return []
            found.append((place, start, end, tag >> 3, kind))
            place = end
    except IndexError:
        return []
    return found


def message(data, rng):
    known = fields(data, 0, len(data))
    if not known:
        return data[:-1], "cut"
    place, start, end, number, kind = rng.choice(known)
    size = rng.choice(SIZES)
    what = rng.randrange(6)
    if what == 0:
        return data[:rng.choice([place, start, end])], f"cut at field {number}"
    if what == 1:
        return data[:place] + varint(number << 3 | rng.randrange(8)) + data[start:], f"wire type of field {number}"
    if what == 2:
        return data[:end] + data[place:end] * 500 + data[end:], f"field {number} 500 times"
    if what == 3:
        nested = b""
        for _ in range(rng.choice([50, 200])):
            nested = varint(number << 3 | 2) + varint(len(nested)) + nested
        return data[:place] + nested + data[end:], f"field {number} nested"
    if kind == 0 or kind == 2:
        after = read_varint(data, start)[1]
        old = read_varint(data, start)[0]
        size = rng.choice([size, old + 1, old - 1])
        what = "value" if kind == 0 else "length"
        return data[:start] + varint(size) + data[after:], f"{what} of field {number}: {size}"
    return data[:start] + b"\xff" * (end - start) + data[end:], f"all ones in field {number}"


def integers(data, rng):
    """Of pages and headers: a number of 1, 2, 4 or 8 bytes near the start of a block, or the end, becomes another."""
    width = rng.choice([1, 2, 4, 8])
    block = rng.choice([0, *range(0, len(data), 4096), max(0, len(data) - 64)])
    place = min(block + width * rng.randrange(16), max(0, len(data) - width))
    size = rng.choice([*SIZES, len(data), len(data) + 1, len(data) // 4096, place]) % 2 ** (8 * width)
    if rng.random() < 0.15:
        return data[:place], f"cut at {place}"
    order = rng.choice(["little", "big"])
    changed = data[:place] + size.to_bytes(width, order) + data[place + width:]
    return changed, f"{width} bytes at {place}: {size} {order}"


def npz(data, rng):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, what = rng.choice(sorted(members)), rng.randrange(7)
    array = np.lib.format.read_array(io.BytesIO(members[name]))
    if what == 0:
        del members[name]
    elif what < 4:
        shape = rng.choice([(), (0,), (2**31,), (2**40, 2**40), (-1,), (3,) * 40, (10**9,)])
        descr = rng.choice(["<f4", "|u1", "|O", "<f8", "<U1000000", "<M8[s]", "<c16", [("a", "<f4")]])
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": shape})
        members[name] = head.getvalue() + members[name][128:]
    elif what == 4:
        members[name] = b"\x93NUMPY\x01\x00\x76\x00" + (b"{" * 117 + b"\n")
    elif what == 5:
        head = io.BytesIO()
        np.lib.format.write_array(head, np.asarray(array.tolist(), rng.choice(["U9", "S3", "f2", "?", "i8"]), copy=True)
                                  if array.dtype.kind in "iufb" else array.reshape(-1)[:0])
        members[name] = head.getvalue()
    else:
        members[name] = members[name][:128] + bytes(50_000_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in members.items():
            archive.writestr(key, value)
    return out.getvalue(), f"{name}: change {what}"


def safetensors(data, rng):
    size, = struct.unpack("<Q", data[:8])
    header, what = text(data[8:8 + size], rng)
    return struct.pack("<Q", len(header)) + header + data[8 + size:], what


def png(data, rng):
    width, height = rng.choice([2**31 - 1, 60_000, 0, 1]), rng.choice([2**31 - 1, 60_000, 0, 1])
    head = b"IHDR" + struct.pack(">IIB", width, height, rng.choice([8, 16, 1, 3])) + data[25:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:], f"{width} x {height}"


def gz(data, rng):
    kind = rng.random()
    if kind < 0.02:
        return data + gzip.compress(bytes(1 << 24)) * 80, "bomb"
    if kind < 0.2:
        return integers(data, rng)
    plain = gzip.decompress(data)
    plain, what = (tar if plain[257:262] == b"ustar" else integers)(plain, rng)
    return gzip.compress(plain), what


def tar(data, rng):
    """Another number, name or kind in the header of a file, whose checksum is right."""
    start = rng.choice([place for place in range(0, len(data), 512) if data[place + 257:place + 262] == b"ustar"])
    head = bytearray(data[start:start + 512])
    place, width, values = rng.choice([
        (0, 100, [b"", b"../x", b"/etc/x", b"\xff" * 100, b"cifar-10-batches-bin/test_batch.bin"]),
        (124, 12, [b"77777777777", b"0", b"-1", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"9", b"00000000001"]),
        (156, 1, [b"1", b"2", b"3", b"5", b"L", b"K", b"S", b"x", b"g", b"\xff"]),
        (257, 8, [b"ustar  ", b"", b"x" * 8])])
    value = rng.choice(values)
    head[place:place + width] = value.ljust(width, b"\0")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return data[:start] + bytes(head) + data[start + 512:], f"{value[:20]!r} at {place} of the header at {start}"


def filters(file, name, shape, rng):
    """A dataset with filters that nobody knows, that are many, or that the bytes of its chunks did not go through."""
    shape = shape or (1,)
    plan, known = h5py.h5p.create(h5py.h5p.DATASET_CREATE), rng.random() < 0.5
    plan.set_chunk(tuple(max(1, size) for size in shape))
    for _ in range(rng.choice([1, 2, 31])):
        filter = rng.choice([1, 2, 3]) if known else rng.choice([257, 32001, 32004, 32015, 65535])
        plan.set_filter(filter, h5py.h5z.FLAG_OPTIONAL, (rng.randrange(10),) * (filter < 3))
    dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape), dcpl=plan)
    content = rng.choice([b"", b"x", zlib.compress(bytes(10**6)), zlib.compress(b"x"), bytes(24)])
    dataset.write_direct_chunk((0,) * len(shape), content, rng.choice([0, 1, 2**32 - 1]))


def hdf5(path, rng):
    """Change an object of the file by HDF5's own means."""
    with h5py.File(path, "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name))
        name = rng.choice(names)
        item, kind = file[name], rng.randrange(18)
        shape = item.shape if isinstance(item, h5py.Dataset) else (1,)
        if kind == 14:
            for i in range(rng.choice([1, 40])):  # many stand in a heap of their own
                item.attrs[f"a{i}"] = rng.choice(["text", np.zeros(7000, "i8"), h5py.Empty("f4"), item.ref])
            return f"{name}: attributes"
        del file[name]
        if kind == 0:
            return f"{name} removed"
        if kind == 1:
            file[name] = h5py.ExternalLink(rng.choice(["none.h5", str(path)]), f"/{name}")
        elif kind == 2:
            file[name] = h5py.SoftLink(rng.choice(["/none", f"/{name}", "/"]))
        elif kind == 3:
            file[name] = file["/"]
        elif kind == 4:
            file.create_dataset(name, shape=rng.choice([(2**40,), (2**20, 2**20), (0,), (1,) * 32, (2**31, 5)]),
                                dtype="f4", chunks=True)
        elif kind == 5:
            file.create_dataset(name, shape=shape, dtype=h5py.string_dtype())
        elif kind == 6:
            file.create_dataset(name, shape=shape, dtype=rng.choice(["S5", "c8", "?", "f2", "i1", "u8", "f8"]))
        elif kind == 7:
            file.create_dataset(name, shape=shape, dtype=np.dtype([("a", "f4"), ("b", "i4")]))
        elif kind == 8:
            file.create_dataset(name, shape=shape, dtype="f4", external=[(rng.choice(["none.bin", "/etc/hostname"]), 0,
                                                                          h5py.h5f.UNLIMITED)])
        elif kind == 9:
            layout = h5py.VirtualLayout(shape=(max(shape, default=1),), dtype="f4")
            layout[:] = h5py.VirtualSource(rng.choice(["none.h5", "."]), name, shape=(max(shape, default=1),))
            file.create_virtual_dataset(name, layout)
        elif kind == 10:
            file.create_group(name)
        elif kind == 11:
            file.create_dataset(name, data=h5py.Empty("f4"))
        elif kind == 12:
            file.create_dataset(name, shape=shape, dtype=h5py.ref_dtype)
        elif kind in (15, 16):
            filters(file, name, shape, rng)
        else:
            file.create_dataset(name, shape=(2**28,), dtype="f4", chunks=(2**24,), compression="gzip", fillvalue=1)
        return f"{name}: change {kind}"


def damage(path, seed):
    """Rewrite the file `path`; what was done."""
    rng = random.Random(seed)
    data = path.read_bytes()
    if data.startswith(b"\x89HDF"):
        if rng.random() < 0.7:
            return hdf5(path, rng)
        change = integers
    elif data.startswith(b"PK"):
        change = npz
    elif path.suffix == ".safetensors" and rng.random() < 0.7:
        change = safetensors
    elif data.startswith(b"\x89PNG"):
        change = png if rng.random() < 0.5 else integers
    elif data.startswith(b"\x1f\x8b"):
        change = gz
    elif path.name == "data.mdb" and rng.random() < 0.7:
        change = databases.lmdb
    elif path.suffix == ".ldb" and rng.random() < 0.7:
        change = databases.leveldb
    elif path.suffix in (".caffemodel", ".solverstate", ".binaryproto") or path.name == "datum":
        change = message
    elif b"\0" not in data and data.isascii():
        change = text
    else:
        change = integers
    new, what = change(data, rng)
    path.write_bytes(new)
    return what
