// Keep the loss of a pass in ring (size), at the place of its number, and count the pass; where `checked`, a loss that
// is not finite is noted. One thread does it.
extern "C" __global__ void keep_loss(const real* loss, double* ring, wide size, int checked, double* state,
                                     double* slot) {
  if (blockIdx.x || threadIdx.x) return;
  ring[(wide)state[1] % size] = *loss;
  if (checked && !isfinite(*loss)) note_one(0, *loss, false, state, slot);
  state[1] += 1;
}

// Note the first of the gradients dx (n) that is not finite. The loss of this pass was kept.
extern "C" __global__ void check_finite(const real* dx, double* state, double* slot, wide n) {
  wide wrong = -1;
  EACH(i, n) if (wrong < 0 && !isfinite(dx[i])) wrong = i;
  if (block_sum((int)(wrong >= 0))) note(wrong, dx, true, state, slot);
}
