// What kernels that check numbers have in common; backend/doubts.py says what state and slot are.

// Note that values[first] is wrong; a thread that found nothing has first = -1. All threads of a block call it, after
// block_sum said that one of them found something. `counted`: whether the loss of this pass was kept already.
__device__ __forceinline__ void note(wide first, const real* values, bool counted, double* state, double* slot) {
  __shared__ wide places[1024];
  places[threadIdx.x] = first;
  __syncthreads();
  if (threadIdx.x) return;
  for (unsigned t = 1; t < blockDim.x; t++)
    if (places[t] >= 0 && (first < 0 || places[t] < first)) first = places[t];
  const double now = 2 * state[1] + !counted;
  double* row = slot + 2 * blockIdx.x;
  if ((state[0] != 0 && state[0] != now) || row[0] != 0) return;
  row[0] = first + 1;
  row[1] = values[first];
  state[0] = now;  // all blocks that write it write the same
}
