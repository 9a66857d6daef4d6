// Slopes are one number, or, if `slopes` is given, one for each of `count` rows of `inner` values, again and again.
__device__ __forceinline__ real slope_of(wide i, const real* slopes, wide count, wide inner, real slope) {
  return slopes ? slopes[i / inner % count] : slope;
}

// y = max(x, 0) + slope * min(x, 0); NaN goes on. Nothing comes of the slope 0, not even at -inf.
extern "C" __global__ void relu_forward(const real* x, const real* slopes, wide count, wide inner, real slope, real* y,
                                        wide n) {
  EACH(i, n) {
    real below = slope_of(i, slopes, count, inner, slope);
    y[i] = x[i] < 0 ? below == 0 ? 0 : below * x[i] : x[i];
  }
}

// dx = dy where x > 0, else slope * dy.
extern "C" __global__ void relu_backward(const real* x, const real* dy, const real* slopes, wide count, wide inner,
                                         real slope, real* dx, wide n) {
  EACH(i, n) dx[i] = x[i] > 0 ? dy[i] : slope_of(i, slopes, count, inner, slope) * dy[i];
}

// The sum of dy * min(x, 0) over all of a channel of x (N, C, inner). A block a channel.
extern "C" __global__ void relu_slope_gradient(const real* x, const real* dy, real* gradient, wide num, wide channels,
                                               wide inner) {
  EACH_ROW(c, channels) {
    real sum = 0;
    EACH_IN_ROW(j, num * inner) {
      wide i = (j / inner * channels + c) * inner + j % inner;
      sum += dy[i] * (x[i] > 0 ? 0 : x[i]);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) gradient[c] = sum;
  }
}

// y = x * mask * factor.
extern "C" __global__ void thin(const real* x, const bool* mask, real factor, real* y, wide n) {
  EACH(i, n) y[i] = x[i] * mask[i] * factor;
}

// y = 1 / (1 + exp(-x)).
extern "C" __global__ void sigmoid(const real* x, real* y, wide n) {
  EACH(i, n) y[i] = 1 / (1 + exp(-x[i]));
}

// dx = dy * y * (1 - y), for y = sigmoid(x).
extern "C" __global__ void sigmoid_backward(const real* y, const real* dy, real* dx, wide n) {
  EACH(i, n) dx[i] = dy[i] * ((1 - y[i]) * y[i]);
}

// dx = dy * (1 - y * y), for y = tanh(x).
extern "C" __global__ void tanh_backward(const real* y, const real* dy, real* dx, wide n) {
  EACH(i, n) dx[i] = dy[i] * (1 - y[i] * y[i]);
}
