"""The nets that a solver trains and tests with."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import ALONE, Processes
from blobnet.core.net import Net
from blobnet.core.without_data import Shape, shapes_in
from blobnet.log.loggers import building
from blobnet.netdef import net_sources, test_nets, train_net
from blobnet.netdef.load import load_filtered
from blobnet.solvers.settings import check_multipliers

log = logging.getLogger(__name__)


def seed_of(solver: Message) -> int:
    """The random_seed of the SolverParameter `solver`; a drawn number, which is logged, if it has none."""
    if solver.random_seed >= 0:
        return solver.random_seed
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    log.info("No random_seed given: drew %d", seed)
    return seed


def build_nets(solver: Message, seed: int, file: str | os.PathLike | None, where: str,
               processes: Processes = ALONE, inputs: Mapping[str, Shape] | None = None, **kwargs) -> list[Net]:
    """The net that the SolverParameter `solver` trains, then its test nets, which use the parameters of the first.

    Several processes train the first net together; process 0 alone has test nets. Net number i has the random seed
    `seed + i`. file: where `solver` was read from, which errors of nets that stand in it show; where: what the solver's
    own errors begin with; inputs: as for Net, but that a test net need not have all of the tops; kwargs: as for Net.
    """
    definitions = [train_net(solver, where), *(test_nets(solver, where) if processes.rank == 0 else [])]
    nets: list[Net] = []
    for i, ((definition, state, path), source) in enumerate(zip(definitions, net_sources(solver))):
        building.info("%s", source)
        given = inputs
        if inputs and i:
            given = shapes_in(load_filtered(definition, state.phase, state.level, state.stage, path or ""), inputs)
        nets.append(Net(definition, state.phase, level=state.level, stages=state.stage, random_seed=seed + i,
                        origin=path or file, processes=ALONE if i else processes, inputs=given, **kwargs))
    check_multipliers(nets[0].parameters, where)
    for net in nets[1:]:
        net.share_with(nets[0])
        net.debug_info = solver.debug_info
    return nets
