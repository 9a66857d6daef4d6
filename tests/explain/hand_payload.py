"""Payloads of pages, made by hand for tests: one layer, or a net of a few."""

from __future__ import annotations

import numpy as np


class Payload:
    """A header and the arrays that it points into."""

    def __init__(self, title: str = "tiny", **fields):
        self.binary = bytearray()
        self.header = {"title": title, "source": "tiny.prototxt", "command": "blobnet explain tiny.prototxt",
                       "phase": "TRAIN", "batch": 2, "loss": None, "version": "0", "left_out": [], "values": [],
                       "layers": [], "training": None, "broken": None, "pairs": None, **fields}

    def array(self, values, kept=None) -> dict:
        """The array as float32; only its corner of the shape `kept`, if that is given."""
        full = np.asarray(values, np.float32)
        corner = full[tuple(slice(size) for size in kept)] if kept else full
        return self._append({"type": "f4", "shape": list(corner.shape), "full": list(full.shape)}, corner)

    def bytes_of(self, values) -> dict:
        """The array in 256 steps."""
        values = np.asarray(values, float)
        low, high = float(values.min()), float(values.max())
        steps = np.round((values - low) / ((high - low) or 1) * 255).astype(np.uint8)
        shape = list(values.shape)
        return self._append({"type": "u1", "shape": shape, "full": shape, "low": low, "high": high}, steps)

    def _append(self, spec: dict, values: np.ndarray) -> dict:
        spec["at"] = len(self.binary)
        self.binary += values.tobytes() + bytes(-values.nbytes % 8)
        return spec

    def value(self, name, data, diff=None, layer=0, top=0, readers=(), kept=None, **more) -> int:
        """A value; its number."""
        number, diff_size = len(self.header["values"]), None if diff is None else rms(diff)
        self.header["values"].append({
            "id": number, "name": name, "layer": layer, "top": top, "shape": list(np.shape(data)),
            "data": self.array(data, kept), "diff": None if diff is None else self.array(diff, kept),
            "readers": [list(reader) for reader in readers], "role": "", "names": None,
            "size": {"data": rms(data), "diff": diff_size},
            "histogram": {"data": histogram(data), "diff": None if diff is None else histogram(diff)}, **more})
        return number

    def param(self, name, data, diff, update=None) -> dict:
        return {"name": name, "shape": list(np.shape(data)), "data": self.array(data), "diff": self.array(diff),
                "update": None if update is None else self.array(update), "lr_mult": 1,
                "ratio": None if update is None else rms(update) / (rms(data) or 1),
                "histogram": {"data": histogram(data), "diff": histogram(diff),
                              "update": None if update is None else histogram(update)}}

    def layer(self, name, type, bottoms=(), tops=(), params=(), arithmetic=None, **more) -> dict:
        """A layer; `bottoms` are numbers of values, or such with a part: (number, diff)."""
        index = more.pop("index", len(self.header["layers"]))
        pairs = [bottom if isinstance(bottom, tuple) else (bottom, None) for bottom in bottoms]
        made = {"index": index, "name": name, "type": type, "family": "weighted", "page": f"<p>The page of {type}.</p>",
                "options": [], "letters": [], "tops": list(tops), "loss_weights": [0] * len(tops),
                "bottoms": [{"value": number, "part": None if part is None else self.array(part)}
                            for number, part in pairs],
                "learns": bool(params), "params": list(params), "marks": [], "arithmetic": arithmetic, "cells": [],
                "check": [], "forward_check": None, **more}
        self.header["layers"].append(made)
        return made


def rms(values) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if np.size(values) else 0.0


def histogram(values) -> dict:
    counts, edges = np.histogram(values, 32)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()}
