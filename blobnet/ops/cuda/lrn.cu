// x (N, C, H, W). A window reaches `c_reach` channels, `h_reach` rows and `w_reach` columns to either side.

// The sum of f(place) over the window of the place i.
template <class F> __device__ __forceinline__ real window_sum(wide i, int C, int H, int W, int c_reach, int h_reach,
                                                            int w_reach, F f) {
  int w = i % W, h = i / W % H, c = i / W / H % C;
  real sum = 0;
  for (int k = max(c - c_reach, 0); k <= min(c + c_reach, C - 1); k++)
    for (int p = max(h - h_reach, 0); p <= min(h + h_reach, H - 1); p++)
      for (int q = max(w - w_reach, 0); q <= min(w + w_reach, W - 1); q++)
        sum += f(i + ((wide)(k - c) * H + p - h) * W + q - w);
  return sum;
}

// scale = k + alpha * (sum of x squared over the window), factor = scale ** -beta, out = x * factor.
extern "C" __global__ void lrn_forward(const real* x, real* scale, real* factor, real* out, int C, int H, int W,
                                       int c_reach, int h_reach, int w_reach, real k, real alpha, real beta, wide n) {
  EACH(i, n) {
    real energy = window_sum(i, C, H, W, c_reach, h_reach, w_reach, [=](wide j) { return x[j] * x[j]; });
    real s = k + alpha * energy;
    real f = beta == (real)0.75 ? 1 / (sqrt(s) * sqrt(sqrt(s))) : pow(s, -beta);
    scale[i] = s;
    factor[i] = f;
    out[i] = x[i] * f;
  }
}

// x_diff = out_diff * factor - slope * x * (sum of out_diff * out / scale over the window), slope = 2 alpha beta.
extern "C" __global__ void lrn_backward(const real* x, const real* out, const real* scale, const real* factor,
                                        const real* out_diff, real* x_diff, int C, int H, int W, int c_reach,
                                        int h_reach, int w_reach, real slope, wide n) {
  EACH(i, n) {
    auto ratio = [=](wide j) { return out_diff[j] * out[j] / scale[j]; };
    real sum = window_sum(i, C, H, W, c_reach, h_reach, w_reach, ratio);
    x_diff[i] = out_diff[i] * factor[i] - sum * x[i] * slope;
  }
}
