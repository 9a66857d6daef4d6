"""What a GPU computes by kernels of its own: CUDA text in the .cu files, and in each .py file the twins of an op."""
