"""NVRTC, the compiler of CUDA text, which needs no GPU."""

import ctypes
import ctypes.util
import importlib.util
from pathlib import Path


def library():
    """The path of NVRTC, if it is installed: pip install nvidia-cuda-nvrtc-cu12, or the CUDA toolkit."""
    wheels = importlib.util.find_spec("nvidia")
    found = [path for folder in (wheels.submodule_search_locations if wheels else ())
             for path in Path(folder).glob("**/libnvrtc.so.*")]
    return str(found[0]) if found else ctypes.util.find_library("nvrtc")


def compiled(text, *options):
    """What NVRTC says about the text, "" if nothing; RuntimeError with that if it is no CUDA C++."""
    nvrtc, program, size = ctypes.CDLL(library()), ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
    given = (ctypes.c_char_p * len(options))(*map(str.encode, options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), given)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    if status:
        raise RuntimeError(log.value.decode())
    return log.value.decode()
