"""What a page says of the values and layers of a net after a pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.check.compare import Rules
from blobnet.check.gradient import check_standalone
from blobnet.explain.arrays import Arrays
from blobnet.explain.cells import cells, cost
from blobnet.explain.diagnosis import check_rows
from blobnet.explain.facts import letters, options
from blobnet.explain.lone import lone_layer
from blobnet.explain.pictures import histogram_row
from blobnet.explain.seen import rms
from blobnet.explain.stage import Scene, Stage, Value
from blobnet.view.layer_pages import family
from blobnet.view.mathematics import page_html

CHECKED = 1e7          # multiply-adds and numbers of a forward, up to which the gradients of a layer are checked
TOO_LARGE = "Not checked here, where it would take long: blobnet check NET --layer {} does it."
RULES = Rules(exhaustive=16, directions=3)
IMAGE_CHANNELS = (1, 3)


def value_rows(stage: Stage, arrays: Arrays) -> list[dict[str, Any]]:
    """The values of a page."""
    rows = []
    for number, value in enumerate(stage.values):
        diff = value.diff
        rows.append({
            "id": number, "name": value.name, "layer": value.layer, "top": value.top, "shape": list(value.data.shape),
            "readers": [list(reader) for reader in value.readers], "role": _role(stage, value), "names": None,
            "data": arrays.floats(value.data, value.name),
            "diff": None if diff is None else arrays.floats(diff, f"diff of {value.name}"),
            "size": {"data": rms(value.data), "diff": None if diff is None else rms(diff)},
            "histogram": {"data": histogram_row(value.data), "diff": None if diff is None else histogram_row(diff)}})
    return rows


def layer_row(stage: Stage, index: int, arrays: Arrays,
              updates: Mapping[tuple[int, int], np.ndarray]) -> dict[str, Any]:
    """A layer of a page, with numbers worked out ahead and with the check of its gradients."""
    scene = stage.scenes[index]
    layer = scene.node.layer
    shapes = [[stage.values[value].data.shape for value in values] for values in (scene.bottoms, scene.tops)]
    row = {
        "index": index, "name": layer.name, "type": layer.type, "family": family(type(layer)),
        "page": page_html(type(layer)), "options": options(layer),
        "letters": letters(layer, *shapes), "tops": scene.tops, "loss_weights": layer.loss_weights,
        "learns": any(layer.param_propagate_down) and scene.node.needs_backward,
        "bottoms": [{"value": value, "part": _part(stage, scene, i, arrays)} for i, value in enumerate(scene.bottoms)],
        "params": [_param(scene, i, arrays, updates.get((index, i))) for i in range(len(layer.blobs))],
        "arithmetic": None, "cells": [], "check": [], "forward_check": None}
    if scene.bottoms or layer.blobs:
        with stage.replay(index) as alone:
            row["arithmetic"] = layer.arithmetic()
            row["cells"] = cells(alone, scene.bottom_diffs, scene.param_diffs, seed=index)
            small = cost(alone) <= CHECKED
        row |= _check(stage, index) if small else {"unchecked": TOO_LARGE.format(layer.name)}
    return row


def _check(stage: Stage, index: int) -> dict[str, Any]:
    """The gradient check of a layer like this one, at the numbers that came to it, moved a little from kinks."""
    scene, rng = stage.scenes[index], np.random.default_rng(index)
    with single_threaded_blas():
        alone, note = lone_layer(scene.node, [stage.values[value].data for value in scene.bottoms], rng)
        results = check_standalone(alone, RULES, rng, note)
    forward = results[0].forward if results else None
    names = {f"param {i}": scene.node.layer.param_name(i) for i in range(len(scene.node.layer.blobs))}
    results = [dataclasses.replace(result, blob=names.get(result.blob, result.blob)) for result in results]
    return {"check": check_rows(results),
            "forward_check": forward and {"error": forward.error, "passed": forward.passed, "note": forward.note}}


def _role(stage: Stage, value: Value) -> str:
    """What a value of a data layer is: an image, or what is read as labels."""
    if not stage.scenes[value.layer].bottoms:
        shape = value.data.shape
        if len(shape) == 4 and shape[1] in IMAGE_CHANNELS and min(shape[2:]) > 1:
            return "image"
        if any(number > 0 and number in stage.scenes[index].node.layer.unforced_bottoms
               for index, number in value.readers):
            return "label"
    return ""


def _part(stage: Stage, scene: Scene, number: int, arrays: Arrays) -> dict[str, Any] | None:
    """What a reader hands down to a value that has several."""
    diff, value = scene.bottom_diffs[number] if scene.bottom_diffs else None, stage.values[scene.bottoms[number]]
    several = len(value.readers) > 1 and diff is not None
    return arrays.floats(diff, f"part of {scene.node.layer.name} in the diff of {value.name}") if several else None


def _param(scene: Scene, number: int, arrays: Arrays, update: np.ndarray | None) -> dict[str, Any]:
    layer, blob = scene.node.layer, scene.node.layer.blobs[number]
    name, diff = f"{layer.param_name(number)} of {layer.name}", scene.param_diffs[number]
    specs = layer.param.param
    size = rms(blob.data)
    return {"name": layer.param_name(number),
            "shape": list(blob.shape), "data": arrays.floats(blob.data, name),
            "diff": arrays.floats(diff, f"gradient of {name}"),
            "update": None if update is None else arrays.floats(update, f"update of {name}"),
            "ratio": None if update is None or not size else rms(update) / size,
            "histogram": {"data": histogram_row(blob.data), "diff": histogram_row(diff),
                          "update": None if update is None else histogram_row(update)},
            "lr_mult": specs[number].lr_mult if number < len(specs) else 1.0}
