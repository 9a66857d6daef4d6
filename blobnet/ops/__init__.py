"""Array kernels that layers share; CUDA twins stand beside their NumPy bodies."""
