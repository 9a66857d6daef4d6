"""Prints settings that let NumPy and OpenBLAS compute as on a processor without the widest instructions of this one.

Nothing on processors that are not x86, or have none of these.
"""

try:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
except ImportError:  # NumPy 1
    from numpy.core._multiarray_umath import __cpu_dispatch__, __cpu_features__

has = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
for kernels, names in (("Haswell", ("AVX512", "X86_V4")), ("Sandybridge", ("AVX2", "FMA3", "X86_V3"))):
    widest = [name for name in has if name.startswith(names)]
    if widest:
        print(f"OPENBLAS_CORETYPE={kernels}", "NPY_DISABLE_CPU_FEATURES=" + ",".join(widest))
        break
