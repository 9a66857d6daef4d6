"""`blobnet device_query`: the GPUs of this machine."""

from __future__ import annotations

import argparse
import logging
import sys

from blobnet.backend import device_module
from blobnet.cli._flags import ignore_other_flags
from blobnet.cli._gpus import add_gpu_flag, gpu_name, gpu_numbers, gpu_properties
from blobnet.log.colour import headed
from blobnet.log.console import console
from blobnet.log.loggers import iterations
from blobnet.log.table import table

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Print name, memory and compute capability of the GPUs, or that there is none. Logs go to standard error, in the format
of Caffe's logs; on a terminal a table takes their place. Quirk: without --gpu Caffe shows none, blobnet shows all."""

LINES = {  # title: the field of cudaDeviceProp
    "Major revision number": "major", "Minor revision number": "minor", "Name": "name",
    "Total global memory": "totalGlobalMem", "Total shared memory per block": "sharedMemPerBlock",
    "Total registers per block": "regsPerBlock", "Warp size": "warpSize", "Maximum memory pitch": "memPitch",
    "Maximum threads per block": "maxThreadsPerBlock", "Maximum dimension of block": "maxThreadsDim",
    "Maximum dimension of grid": "maxGridSize", "Clock rate": "clockRate",
    "Total constant memory": "totalConstMem", "Texture alignment": "textureAlignment",
    "Concurrent copy and execution": "deviceOverlap", "Number of multiprocessors": "multiProcessorCount",
    "Kernel execution timeout": "kernelExecTimeoutEnabled",
}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("device_query", help="show the GPUs", description=_DESCRIPTION)
    add_gpu_flag(parser, "show this GPU, or all (default: all)")
    ignore_other_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Report; the exit status, 0 also without a GPU unless one was asked for."""
    known = gpu_properties()
    numbers = gpu_numbers(args.gpu) or list(range(len(known)))
    for number in numbers:
        device_module(f"gpu:{number}")
    with console():
        log.info("Querying GPUs %s", ",".join(map(str, numbers)))
        if not numbers:
            log.info("No GPU can be used: there is none, or CuPy is not installed.")
        for number in numbers:
            _log_lines(number, known[number])
    if numbers and sys.stderr.isatty():
        rows = [("GPU", "memory", "capability", "multiprocessors")]
        for number in numbers:
            gpu = known[number]
            rows.append((f"{number}  {gpu_name(gpu)}", f"{gpu['totalGlobalMem'] / 2 ** 30:.1f} GiB",
                         f"{gpu['major']}.{gpu['minor']}", str(gpu["multiProcessorCount"])))
        print(headed(table(rows), sys.stdout))
    return 0


def _log_lines(number: int, gpu: dict) -> None:
    iterations.info("%-30s %d", "Device id:", number)
    for title, field in LINES.items():
        if field in gpu:  # newer versions of CUDA leave some out
            iterations.info("%-30s %s", title + ":", _value(gpu[field], field))


def _value(value: object, field: str) -> str:
    if field in ("deviceOverlap", "kernelExecTimeoutEnabled"):
        return "Yes" if value else "No"
    if isinstance(value, bytes):
        return value.decode()
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
