"""The terms of the BN layers of the forks, whose slope and bias are learned."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.terms import Factor, Place, Terms, index_of
from blobnet.layers.normalization._terms import Channel, standardized, standardized_diff, stored_diff


def channel_terms(layer, place: Place, bottom, top, mean: Sequence[Factor], by_batch: bool) -> Terms:
    """The terms of y = slope * (x - mean) / deviation + bias: of the top's data or of the bottom's diff.

    mean: as a product; by_batch: whether backward goes through mean and deviation too.
    """
    channel = Channel(place, bottom[0], layer.grouped)
    slope, bias = (_parameter(layer, i, channel.c, words) for i, words in enumerate(("slope", "bias")))
    deviation = float(layer.deviation[channel.c])
    if place.kind == "top":
        return standardized(channel, place, bottom[0], mean, deviation, f"channel {channel.c} brought to mean 0 and "
                            f"deviation 1 (its deviation is {deviation:.6g}), then its slope and bias", (slope,),
                            [(bias,)])
    if by_batch:
        return standardized_diff(channel, place, top[0], layer.normalized, deviation, (slope,))
    return stored_diff(channel, place, top[0], deviation, (slope,))


def linear_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of y = slope * x + bias."""
    channel = Channel(place, bottom[0], layer.grouped)
    slope, bias = (_parameter(layer, i, channel.c, words) for i, words in enumerate(("slope", "bias")))
    if place.kind == "top":
        return Terms(place, [(channel.factor("bottom", "data", bottom[0]), slope), (bias,)], "slope and bias")
    return Terms(place, [(channel.factor("top", "diff", top[0]), slope)], "dy times the slope")


def channel_of(layer, place: Place, blob) -> int:
    """The channel of a place of the bottom or the top."""
    return Channel(place, blob, layer.grouped).c


def _parameter(layer, i: int, c: int, words: str) -> Factor:
    index = index_of(c, layer.shape)
    return Factor(float(layer.param_data(i)[index]), Place("param", i, "data", index), words)
