"""How a layer to try is written: the rows of the tables in cases_*.py.

FOLDER stands for a folder of made-up data (fixture `data_folder`).
"""

from blobnet.check import Case
from blobnet.check.standalone import standalone


def layer(type_name, bottoms, tops, options=""):
    """The prototxt of a layer called 'it'; names of blobs in one text each."""
    bottoms = " ".join(f'bottom: "{name}"' for name in bottoms.split())
    tops = " ".join(f'top: "{name}"' for name in tops.split())
    return f'layer {{ name: "it" type: "{type_name}" {bottoms} {tops} {options} }}'


def row(type_name, values, options="", tops="y", **more):
    """A case with bottoms x0, x1, … of these values, or of these shapes."""
    return Case(layer(type_name, " ".join(f"x{i}" for i in range(len(values))), tops, options), values, **more)


def build(type_name, values, options="", tops="y", **more):
    """The layer of such a row, set up; `more` as for blobnet.check.standalone.standalone."""
    return standalone(row(type_name, values, options, tops).source, *values, **more)


FILLERS = 'weight_filler { type: "xavier" } bias_filler { type: "gaussian" std: 0.1 }'
