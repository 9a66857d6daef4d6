// What all kernels here have in common. `real` is float or double: the text is compiled once for each.
//
// The house rules of a kernel. It is right for any grid and for any block of whole warps: loops stride over the grid.
// It uses no atomics, and adds in an order that depends on the sizes alone, so that two runs agree bit for bit. Arrays
// are contiguous. Names and formulas are those of the NumPy twin, to which the tests hold it.
typedef REAL real;
typedef long long wide;

// The loop of a thread over the items 0 ... n - 1 that are its own.
#define EACH(i, n) for (wide i = blockIdx.x * (wide)blockDim.x + threadIdx.x; i < (n); i += (wide)blockDim.x * gridDim.x)

// The loop of a block over the rows 0 ... n - 1 that are its own, and of its threads over the items of a row.
#define EACH_ROW(row, n) for (wide row = blockIdx.x; row < (n); row += gridDim.x)
#define EACH_IN_ROW(i, n) for (wide i = threadIdx.x; i < (n); i += blockDim.x)

// The sum of the values of all threads of a block, in one order; every thread gets it.
template <class T> __device__ __forceinline__ T block_sum(T value) {
  __shared__ T parts[1024];
  __shared__ T sums[32];
  __syncthreads();  // whoever still reads the last sum
  parts[threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    T sum = 0;
    for (unsigned t = threadIdx.x; t < blockDim.x; t += 32) sum += parts[t];
    sums[threadIdx.x] = sum;
  }
  __syncthreads();
  T total = 0;
  for (int lane = 0; lane < 32; lane++) total += sums[lane];
  return total;
}
