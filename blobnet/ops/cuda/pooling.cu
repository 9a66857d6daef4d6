// Planes of x have H x W positions, those of out P x Q windows of R x S positions. The window p begins at row
// p * down - top, and so do columns with `right` and `left`.

// The first of the windows, of `taps` positions and `stride` apart, that hold a position, counted from the far end of
// the padding. The last one is position / stride.
__device__ __forceinline__ int first_window(int position, int taps, int stride) {
  return position < taps ? 0 : (position - taps) / stride + 1;
}

// The divisor of the average along one axis: the positions of a window from `start` on, those beyond the far padding,
// which ends at `end`, not counted. A window that begins right there has the divisor 0; one beyond is an average of 0.
__device__ __forceinline__ int divisor(int start, int taps, int end) {
  int count = min(start + taps, end) - start;
  return count < 0 ? 1 : count;
}

// out = the largest value of each window, the first in scan order, and `places` where in its plane it lies; `lowest`
// and -1 if none is above that. A thread a window.
extern "C" __global__ void max_pool(const real* x, real* out, int* places, real lowest, int H, int W, int P, int Q,
                                    int R, int S, int down, int right, int top, int left, wide n) {
  EACH(i, n) {
    wide plane = i / (P * Q);
    int window = i - plane * (P * Q), h0 = window / Q * down - top, w0 = window % Q * right - left, place = -1;
    const real* values = x + plane * H * W;
    real best = lowest;
    for (int h = max(h0, 0); h < min(h0 + R, H); h++)
      for (int w = max(w0, 0); w < min(w0 + S, W); w++)
        if (values[h * W + w] > best) best = values[place = h * W + w];
    out[i] = best;
    places[i] = place;
  }
}

// x_diff = the sum of the gradients of the windows whose maximum lies here. A thread a position, for all that hold it.
extern "C" __global__ void max_pool_backward(const real* top_diff, const int* places, real* x_diff, int H, int W, int P,
                                             int Q, int R, int S, int down, int right, int top, int left, wide n) {
  EACH(i, n) {
    wide plane = i / (H * W), windows = plane * P * Q;
    int place = i - plane * (H * W), h = place / W + top, w = place % W + left;
    real sum = 0;
    for (int p = first_window(h, R, down); p <= min(h / down, P - 1); p++)
      for (int q = first_window(w, S, right); q <= min(w / right, Q - 1); q++)
        if (places[windows + p * Q + q] == place) sum += top_diff[windows + p * Q + q];
    x_diff[i] = sum;
  }
}

// out = the sum of each window divided by its divisors. A thread a window.
extern "C" __global__ void average_pool(const real* x, real* out, int H, int W, int P, int Q, int R, int S, int down,
                                        int right, int top, int left, wide n) {
  EACH(i, n) {
    wide plane = i / (P * Q);
    int window = i - plane * (P * Q), h0 = window / Q * down - top, w0 = window % Q * right - left;
    const real* values = x + plane * H * W;
    real sum = 0;
    for (int h = max(h0, 0); h < min(h0 + R, H); h++)
      for (int w = max(w0, 0); w < min(w0 + S, W); w++) sum += values[h * W + w];
    out[i] = sum / (divisor(h0, R, H + top) * divisor(w0, S, W + left));
  }
}

// The same for large windows. A block a window.
extern "C" __global__ void average_pool_large(const real* x, real* out, int H, int W, int P, int Q, int R, int S,
                                              int down, int right, int top, int left, wide n) {
  EACH_ROW(i, n) {
    wide plane = i / (P * Q);
    int window = i - plane * (P * Q), h0 = window / Q * down - top, w0 = window % Q * right - left;
    int h1 = max(h0, 0), w1 = max(w0, 0), rows = max(min(h0 + R, H) - h1, 0), columns = max(min(w0 + S, W) - w1, 0);
    const real* values = x + plane * H * W + h1 * W + w1;
    real sum = 0;
    EACH_IN_ROW(j, rows * columns) sum += values[(int)j / columns * W + (int)j % columns];
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[i] = sum / (divisor(h0, R, H + top) * divisor(w0, S, W + left));
  }
}

// x_diff = the sum of the gradients of the windows that hold this position, each divided by its divisors.
extern "C" __global__ void average_pool_backward(const real* top_diff, real* x_diff, int H, int W, int P, int Q, int R,
                                                 int S, int down, int right, int top, int left, wide n) {
  EACH(i, n) {
    wide plane = i / (H * W);
    int place = i - plane * (H * W), h = place / W + top, w = place % W + left;
    const real* dy = top_diff + plane * P * Q;
    real sum = 0;
    for (int p = first_window(h, R, down); p <= min(h / down, P - 1); p++)
      for (int q = first_window(w, S, right); q <= min(w / right, Q - 1); q++)
        sum += dy[p * Q + q] / (divisor(p * down, R, H + 2 * top) * divisor(q * right, S, W + 2 * left));
    x_diff[i] = sum;
  }
}
