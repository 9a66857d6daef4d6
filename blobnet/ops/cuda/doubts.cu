// What kernels that check numbers have in common; backend/doubts.py says what state and slot are.

// Note that the number `first` is wrong, in one thread of a block. `counted`: whether the loss of the pass was kept.
__device__ __forceinline__ void note_one(wide first, double value, bool counted, double* state, double* slot) {
  const double now = 2 * state[1] + !counted;
  double* row = slot + 2 * blockIdx.x;
  if ((state[0] != 0 && state[0] != now) || row[0] != 0) return;
  row[0] = first + 1;
  row[1] = value;
  state[0] = now;  // all blocks that write it write the same
}

// The same for the first one that a block found. All its threads call it, those that found nothing with first = -1.
__device__ __forceinline__ void note(wide first, const real* values, bool counted, double* state, double* slot) {
  __shared__ wide places[1024];
  places[threadIdx.x] = first;
  __syncthreads();
  if (threadIdx.x) return;
  for (unsigned t = 1; t < blockDim.x; t++)
    if (places[t] >= 0 && (first < 0 || places[t] < first)) first = places[t];
  note_one(first, values[first], counted, state, slot);
}
