"""What the machine offers: devices and their arrays, worker threads, shared work and memory, random streams.

The rest of the package knows a device only as `xp`, the array module that its arrays belong to: numpy or cupy.
"""

from blobnet.backend.devices import (
    Array,
    array_module,
    as_numbers,
    current_device,
    device_module,
    folded,
    free_memory,
    gpu_available,
    on_device,
    products_in,
    to_host,
    whole_limit,
)
from blobnet.backend.doubts import Doubts, Wrong, doubt
from blobnet.backend.memory import free_bytes, total_bytes
from blobnet.backend.mpi import processes
from blobnet.backend.pieces import PARTS, Pieces, cut, cut_array, longest
from blobnet.backend.processes import ALONE, Processes
from blobnet.backend.random_numbers import RandomNumbers
from blobnet.backend.random_streams import random_stream
from blobnet.backend.sharing import share, share_in_order
from blobnet.backend.threads import num_threads, single_threaded_blas, thread_pool
from blobnet.backend.twins import Twin, twin
from blobnet.backend.workspace import Workspace, scratch

__all__ = ["ALONE", "PARTS", "Array", "Doubts", "Pieces", "Processes", "RandomNumbers", "Twin", "Workspace", "Wrong",
           "array_module", "as_numbers", "current_device", "cut", "cut_array", "device_module", "doubt",
           "folded", "free_bytes", "free_memory", "gpu_available", "longest", "num_threads", "on_device",
           "processes", "products_in", "random_stream", "scratch", "share", "share_in_order",
           "single_threaded_blas", "thread_pool", "to_host", "total_bytes", "twin", "whole_limit"]
