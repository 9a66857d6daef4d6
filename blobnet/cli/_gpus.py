"""The options --gpu and --tf32, and what is known of the GPUs of this machine."""

from __future__ import annotations

import argparse
import logging

from blobnet.backend import device_module, gpu_available
from blobnet.cli._flags import flag, switch

log = logging.getLogger(__name__)
ALL = "all"


def add_gpu_flag(parser: argparse._ActionsContainer, help: str) -> None:
    """Add --gpu; `gpu_numbers(args.gpu)` are then the GPUs it names."""
    flag(parser, "--gpu", type=_numbers, default=[], metavar="N", help=help)


def add_tf32_flag(parser: argparse._ActionsContainer) -> None:
    """Add --tf32, for commands that run nets."""
    switch(parser, "--tf32", "let the GPU round the factors of products to 10 bits (TF32), which is faster; without it "
           "products are those of float32, as Caffe's")


def device_of(number: int | None) -> str:
    """The device that a --gpu of one number names, or the CPU where it is not given."""
    return "cpu" if number is None else f"gpu:{number}"


def gpu_numbers(given: list[int] | str) -> list[int]:
    """The numbers that --gpu names, without a repetition; DeviceError for "all" where there is none."""
    if not isinstance(given, str):
        return list(dict.fromkeys(given))
    device_module("gpu")
    return list(range(len(gpu_properties())))


def gpu_properties() -> list[dict]:
    """What CUDA says of each GPU, by the names of its cudaDeviceProp; empty if there is none or CuPy is missing."""
    if not gpu_available():
        return []
    runtime = device_module("gpu").cuda.runtime
    return [runtime.getDeviceProperties(number) for number in range(runtime.getDeviceCount())]


def gpu_name(properties: dict) -> str:
    """The name in `gpu_properties`."""
    name = properties["name"]
    return name.decode() if isinstance(name, bytes) else name


def first_device(given: list[int] | str) -> str:
    """The device to run a net on: the first GPU of --gpu, as Caffe has it, or the CPU. Logs which one it is."""
    numbers = gpu_numbers(given)
    if not numbers:
        log.info("Use CPU.")
        return "cpu"
    device = f"gpu:{numbers[0]}"
    device_module(device)
    log.info("Use GPU with device ID %d", numbers[0])
    log.info("GPU device name: %s", gpu_name(gpu_properties()[numbers[0]]))
    return device


def _numbers(text: str) -> list[int] | str:
    parts = text.split(",") if text else []
    if text == ALL:
        return ALL
    if not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"expected the number of a GPU, several with commas, or all, got {text!r}")
    return [int(part) for part in parts]
