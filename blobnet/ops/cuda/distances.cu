// Distances of the rows of x (M, D) to those of c (N, D).

// ||a - b||^2 of two rows of D numbers, never negative; NaN stays.
__device__ double squared_distance(const real* a, const real* b, wide D) {
  double own = 0, other = 0, both = 0;
  for (wide d = 0; d < D; d++) {
    double x = a[d], y = b[d];
    own += x * x;
    other += y * y;
    both += x * y;
  }
  double distance = own + other - 2 * both;
  return distance < 0 ? 0 : distance;
}

// out (M, N) = ||x_m - c_n||^2.
extern "C" __global__ void squared_distances_to(const real* x, const real* c, real* out, wide M, wide N, wide D) {
  EACH(i, M * N) out[i] = squared_distance(x + i / N * D, c + i % N * D, D);
}

// The same of all pairs of rows of x, as doubles.
extern "C" __global__ void squared_distances(const real* x, double* out, wide N, wide D) {
  EACH(i, N * N) out[i] = squared_distance(x + i / N * D, x + i % N * D, D);
}

// out (M, N) = sum over d of |x_md - c_nd|.
extern "C" __global__ void absolute_distances(const real* x, const real* c, real* out, wide M, wide N, wide D) {
  EACH(i, M * N) {
    real sum = 0;
    for (wide d = 0; d < D; d++) sum += abs(x[i / N * D + d] - c[i % N * D + d]);
    out[i] = sum;
  }
}

// out (M, D) = the sum over n of above_mn where x_md > c_nd, less that of below_mn where x_md < c_nd.
extern "C" __global__ void sums_by_side(const real* x, const real* c, const real* above, const real* below, real* out,
                                        wide M, wide N, wide D) {
  EACH(i, M * D) {
    real more = 0, less = 0;
    for (wide n = 0; n < N; n++) {
      more += above[i / D * N + n] * (x[i] > c[n * D + i % D]);
      less += below[i / D * N + n] * (x[i] < c[n * D + i % D]);
    }
    out[i] = more - less;
  }
}
