"""The named protocols of retrieval, to be listed and to be tried on a pair of files."""

from __future__ import annotations

import argparse
import textwrap

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.pair import check_fit
from blobnet.hashing.protocol import Protocol, get_protocol, list_protocols


class ListProtocols(argparse.Action):
    """An option that prints every protocol, with its paper, and ends the command."""

    def __call__(self, parser, namespace, values, option_string=None):
        for name, sentence in list_protocols().items():
            print(f"{wrap(sentence)}\n    {get_protocol(name).paper or 'of no paper'}\n")
        parser.exit()


def wrap(sentence: str) -> str:
    """Lines of a paragraph in a help text."""
    return textwrap.fill(sentence, 110, initial_indent="  ", subsequent_indent="    ")


def fitting(queries: Codes, base: Codes | None, metric: str, neighbours: Neighbours | None) -> tuple[list[Protocol],
                                                                                                     dict[str, str]]:
    """The protocols that fit queries, base and, where there are any, lists of neighbours; what the others miss."""
    protocols, misfits = [], {}
    for name in list_protocols():
        protocol = get_protocol(name, metric=metric)
        try:
            check_fit(queries, base_for(protocol, base), protocol, lists_for(protocol, neighbours))
            protocols.append(protocol)
        except DataError as error:
            misfits[name] = f"expected {error.expected}, got {error.got}"
    return protocols, misfits


def base_for(protocol: Protocol, base: Codes | None) -> Codes | None:
    """The base, unless the protocol ranks the queries themselves."""
    return None if protocol.query_in_database else base


def lists_for(protocol: Protocol, neighbours: Neighbours | None) -> Neighbours | None:
    """The lists, if the protocol takes any."""
    return neighbours if protocol.relevance == "neighbours" else None
