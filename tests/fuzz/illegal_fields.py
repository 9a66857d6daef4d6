"""Options of layers with values that no net has: illegal_fields.py FIRST COUNT builds and runs nets, one a seed.

A net is a row of the tables of tests/layers with one field of one layer changed. Prints what is not a BlobnetError.
"""

import collections
import logging
import random
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))
from cases_data import fill  # noqa: E402
from layer_cases import CASES  # noqa: E402

from blobnet.core.net import Net  # noqa: E402
from blobnet.errors import BlobnetError  # noqa: E402
from blobnet.proto.messages import new  # noqa: E402
from blobnet.proto.text import parse  # noqa: E402

WHOLE = (0, -1, 1, 2, 2**31 - 1, -2**31, 2**32 - 1, 10**6, 2**62)
REAL = (0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e38, 1e-45)
LIMIT = 10  # seconds
SKIP = ("Python", "HDF5Output")  # what the author's class does is not ours; a file that is written anywhere


class Hang(BaseException):
    """A net took too long."""


def stop(*_):
    raise Hang


def places(message, depth=0):
    """(message, field) of all fields in the options of a layer that take numbers or texts."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None:
            yield message, field
        elif depth < 3 and not field.is_repeated:
            yield from places(getattr(message, field.name), depth + 1)
        elif field.is_repeated:
            for item in getattr(message, field.name):
                yield from places(item, depth + 1)


def change(layer, options, rng):
    message, field = rng.choice(list(places(getattr(layer, options)) if options else places(layer.param)))
    kind = field.cpp_type
    values = {field.CPPTYPE_FLOAT: REAL, field.CPPTYPE_DOUBLE: REAL, field.CPPTYPE_BOOL: (True, False),
              field.CPPTYPE_STRING: ("", "x" * 9999, "\0", "none"), field.CPPTYPE_ENUM: (0, 1, 2, 3)}.get(kind, WHOLE)
    value = rng.choice(values)
    try:
        if field.is_repeated:
            given = getattr(message, field.name)
            given[:] = rng.choice([[], [value], [value] * 2, [*given, value], [value] * 40])
        else:
            setattr(message, field.name, value)
    except (ValueError, TypeError):
        return ""  # the schema has no such value
    return f"{layer.type} {field.name}: {value!r:.30}"


def run(name, case, seed, folder):
    rng = random.Random(seed)
    layer = parse(case.source.replace("FOLDER", folder), "NetParameter").layer[0]
    cls = case.type
    what = change(layer, cls.options_field, rng) if cls.options_field else ""
    if not what:
        return ""
    values = case.values()
    inputs = [new("LayerParameter", name=f"in{i}", type="Input", top=[bottom]) for i, bottom in enumerate(layer.bottom)]
    for item, value in zip(inputs, values):
        item.input_param.shape.add().dim.extend(value.shape)
    net = None
    signal.alarm(LIMIT)
    try:
        net = Net(new("NetParameter", layer=[*inputs, layer], force_backward=True), case.phase, random_seed=1)
        net.forward(**dict(zip(layer.bottom, values)))
        net.backward()
    except BlobnetError:
        pass
    except (Exception, Hang) as error:
        frame = next((frame for frame in reversed(traceback.extract_tb(error.__traceback__))
                      if "/blobnet/" in frame.filename), traceback.extract_tb(error.__traceback__)[-1])
        return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}", f"{what}: {str(error)[:90]}"
    finally:
        signal.alarm(0)
    return ""


def main(first, count):
    logging.disable()
    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    names = sorted(name for name, case in CASES.items() if case.type.__name__ not in SKIP)
    causes = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        fill(Path(temporary))
        for seed in range(first, first + count):
            name = names[seed % len(names)]
            print(f"\r{seed}", end="", file=sys.stderr, flush=True)
            wrong = run(name, CASES[name], seed, temporary)
            if wrong:
                causes[wrong[0]].append((seed, wrong[1]))
    for cause, cases in sorted(causes.items()):
        print(f"{len(cases)} x {cause}; seed {cases[0][0]}: {cases[0][1]}")
    print("done")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
