// What a solver does to all parameters of a net at once: their values lie one after the other in one array, and so do
// their gradients and each of their histories. The gaps between them, and the numbers of an iteration, are those of
// core/flat.py and ops/updates.py.

const int PARAMETER_UNIT = 256;  // every parameter begins at a multiple of it

struct UpdateStep { double iteration, rate, first, second, factor, undone; };
enum UpdateRule { SGD, NESTEROV, ADAGRAD, RMSPROP, ADADELTA, ADAM, ADAMW };

// The least value of all threads of a block; every thread gets it.
__device__ __forceinline__ wide block_least(wide value) {
  __shared__ wide parts[1024];
  __syncthreads();  // whoever still reads the last one
  parts[threadIdx.x] = value;
  for (unsigned half = 512; half; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half && threadIdx.x + half < blockDim.x)
      parts[threadIdx.x] = min(parts[threadIdx.x], parts[threadIdx.x + half]);
  }
  __syncthreads();
  return parts[0];
}

// sums[row] = the sum of the squares in a row of `length` gradients; firsts[row] = the place of the first one that is
// not finite, n if there is none.
extern "C" __global__ void gradient_rows(const real* gradients, real* sums, wide* firsts, wide length, wide rows, wide n) {
  EACH_ROW(row, rows) {
    real sum = 0;
    wide first = n;
    EACH_IN_ROW(j, min(length, n - row * length)) {
      wide i = row * length + j;
      real g = gradients[i];
      sum += g * g;
      if (!isfinite(g)) first = min(first, i);
    }
    sum = block_sum(sum);
    first = block_least(first);
    if (threadIdx.x == 0) { sums[row] = sum; firsts[row] = first; }
  }
}

// The factor of the gradients, the doubt and whether the update may be made, from what gradient_rows found.
extern "C" __global__ void judge(const real* sums, const wide* firsts, wide rows, wide n, double limit, double size,
                                 double* step, double* doubt, const double* doubts, int slots) {
  EACH_ROW(only, 1) {
    UpdateStep& now = *(UpdateStep*)step;
    real squares = 0;
    wide first = n, written = 0;
    EACH_IN_ROW(row, rows) { squares += sums[row]; first = min(first, firsts[row]); }
    double norm = sqrt((double)block_sum(squares));
    first = block_least(first);
    if (threadIdx.x == 0) {
      now.factor = (limit >= 0 && norm > limit ? limit / norm : 1) / size;
      if (doubt && first < n && !doubt[0]) { doubt[0] = first + 1; doubt[1] = now.iteration; }
    }
    __syncthreads();
    EACH_IN_ROW(slot, slots) written += doubts[2 * slot] != 0;
    written = block_sum(written);
    if (threadIdx.x == 0) now.undone = !written ? 0 : now.undone ? now.undone : now.iteration + 1;
  }
}

// The numbers of an iteration that the host knows.
extern "C" __global__ void write_step(double* step, double iteration, double rate, double first, double second) {
  EACH(only, 1) {
    UpdateStep& now = *(UpdateStep*)step;
    now.iteration = iteration; now.rate = rate; now.first = first; now.second = second;
  }
}

// The rules of the solver types, with the letters of their docstrings: g becomes what is subtracted from the values w;
// h, or m, and v are the histories. owners: of every unit its parameter; ends: where each ends; multipliers: the
// lr_mult of each, then the decay_mult of each. a and b are the shares of the past, a_rest = 1 - a, b_rest = 1 - b.
extern "C" __global__ void update(int rule, real* values, real* gradients, real* history, real* history2,
                                  const int* owners, const wide* ends, const real* multipliers, int parameters,
                                  const double* step, real weight_decay, int l1, real a, real a_rest, real b,
                                  real b_rest, real delta, wide n) {
  const UpdateStep& now = *(const UpdateStep*)step;
  if (now.undone) return;
  EACH(i, n) {
    int owner = owners[i / PARAMETER_UNIT];
    if (i >= ends[owner]) continue;  // a gap
    real rate = (real)now.rate * multipliers[owner], decay = weight_decay * multipliers[parameters + owner];
    real w = values[i], g = gradients[i] * (real)now.factor, h = history[i], v = history2 ? history2[i] : 0;
    real pull = !decay ? 0 : decay * (!l1 ? w : w > 0 ? 1 : w < 0 ? -1 : w);
    if (rule != ADAMW) g += pull;
    switch (rule) {
      case SGD:
        g = h = a * h + rate * g;
        break;
      case NESTEROV:
        h = a * h + rate * g;
        g = a * h + rate * g;
        break;
      case ADAGRAD:
        h += g * g;
        g = g / (sqrt(h) + delta) * rate;
        break;
      case RMSPROP:
        h = a * h + a_rest * (g * g);
        g = g / (sqrt(h) + delta) * rate;
        break;
      case ADADELTA:
        h = a * h + a_rest * (g * g);
        g *= sqrt((v + delta) / (h + delta));
        v = a * v + a_rest * (g * g);
        g *= rate;
        break;
      case ADAM:
        h = a * h + a_rest * g;
        v = b * v + b_rest * (g * g);
        g = h / (sqrt(v) + delta) * (rate * (real)now.first);
        break;
      case ADAMW:
        h = a * h + a_rest * g;
        v = b * v + b_rest * (g * g);
        g = (h / (sqrt((real)now.first * v) + delta) * (real)now.second + pull) * rate;
    }
    history[i] = h;
    if (history2) history2[i] = v;
    gradients[i] = g;
    values[i] = w - g;
  }
}
