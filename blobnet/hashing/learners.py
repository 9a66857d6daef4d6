"""The learners of hash codes that are no nets, by name."""

from __future__ import annotations

from blobnet.hashing.kernel_codes import fit_ksh
from blobnet.hashing.linear_codes import METHODS
from blobnet.hashing.spectral_codes import fit_spectral
from blobnet.hashing.supervised_codes import fit_sdh

UNSUPERVISED = METHODS | {"sh": fit_spectral}       # fit(data, bits, seed)
SUPERVISED = {"ksh": fit_ksh, "sdh": fit_sdh}       # fit(data, labels, bits, seed, anchors)
BY_COMPONENTS = ("pcah", "itq")                     # a bit a principal component, so no more bits than these
