// What a solver does to all parameters of a net at once: their values lie one after the other in one array, and so do
// their gradients and each of their histories. The gaps between them, and the numbers of an iteration, are those of
// core/flat.py and ops/updates.py.

const int PARAMETER_UNIT = 256;  // every parameter begins at a multiple of it

struct UpdateStep { double rate, first, second, factor; };
enum UpdateRule { SGD, NESTEROV, ADAGRAD, RMSPROP, ADADELTA, ADAM, ADAMW };

// The numbers of an iteration.
extern "C" __global__ void write_step(double* step, double rate, double first, double second, double factor) {
  EACH(only, 1) *(UpdateStep*)step = {rate, first, second, factor};
}

// sums[row] = the sum of the squares of `length` gradients of the n.
extern "C" __global__ void square_sums(const real* gradients, wide length, real* sums, wide rows, wide n) {
  EACH_ROW(row, rows) {
    real sum = 0;
    EACH_IN_ROW(j, min(length, n - row * length)) {
      const real g = gradients[row * length + j];
      sum += g * g;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[row] = sum;
  }
}

// step.factor *= limit / norm, if the norm, the root of all `sums`, is above the limit.
extern "C" __global__ void clip_gradients(const real* sums, wide rows, double limit, double* step) {
  EACH_ROW(only, 1) {
    real squares = 0;
    EACH_IN_ROW(row, rows) squares += sums[row];
    const double norm = sqrt((double)block_sum(squares));
    if (threadIdx.x == 0 && norm > limit) ((UpdateStep*)step)->factor *= limit / norm;
  }
}

// The rules of the solver types, with the letters of their docstrings: g becomes what is subtracted from the values w;
// h, or m, and v are the histories. owners: of every unit its parameter; ends: where each ends; multipliers: the
// lr_mult of each, then the decay_mult of each. a and b are the shares of the past, a_rest = 1 - a, b_rest = 1 - b.
extern "C" __global__ void update_parameters(int rule, real* values, real* gradients, real* history, real* history2,
                                             const int* owners, const wide* ends, const real* multipliers,
                                             int parameters, const double* step, const double* state,
                                             real weight_decay, int l1, real a, real a_rest, real b, real b_rest,
                                             real delta, wide n) {
  if (*state != 0) return;  // a doubt was right
  const UpdateStep now = *(const UpdateStep*)step;
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
