// Convolution of x (N, C, H, W) to (N, K, P, Q) with kernels (R, S). Tap (r, s) at place (p, q) falls on the number at
// (p * stride_h + r * dilation_h - pad_h, q * stride_w + s * dilation_w - pad_w) of a plane of x, or on a zero outside.

// columns (N, C * R * S, P * Q) = what the taps fall on. Images lie image_step numbers apart, rows (c, r, s) row_step:
// it may be (C * R * S, N * P * Q) as well. A thread has a place (p, q) of a plane, and writes it for all taps.
extern "C" __global__ void im2col(const real* x, real* columns, wide image_step, wide row_step, int C,
                                  int H, int P, int R, int stride_h, int dilation_h, int pad_h,
                                  int W, int Q, int S, int stride_w, int dilation_w, int pad_w, wide n) {
  EACH(i, n) {
    wide plane = i / (P * Q);
    int place = i % (P * Q), top = place / Q * stride_h - pad_h, left = place % Q * stride_w - pad_w;
    const real* from = x + plane * H * W;
    real* to = columns + plane / C * image_step + plane % C * R * S * row_step + place;
    for (int r = 0; r < R; r++)
      for (int s = 0; s < S; s++, to += row_step) {
        int h = top + r * dilation_h, w = left + s * dilation_w;
        *to = h >= 0 && h < H && w >= 0 && w < W ? from[h * W + w] : 0;
      }
  }
}

// The place p < out with p * stride = h, or a negative number if there is none.
__device__ __forceinline__ int reached(int h, int stride, int out) {
  return h % stride == 0 && h / stride < out ? h / stride : -1;
}

// x = bias (C), or 0 without it, plus the numbers of the columns where the taps took them from. A thread gathers what a
// number of x gets.
extern "C" __global__ void col2im(const real* columns, const real* bias, real* x, wide image_step, wide row_step, int C,
                                  int H, int P, int R, int stride_h, int dilation_h, int pad_h,
                                  int W, int Q, int S, int stride_w, int dilation_w, int pad_w, wide n) {
  EACH(i, n) {
    wide plane = i / (H * W);
    int place = i % (H * W), top = place / W + pad_h, left = place % W + pad_w, c = plane % C;
    const real* from = columns + plane / C * image_step + (wide)c * R * S * row_step;
    real sum = bias ? bias[c] : 0;
    for (int r = 0; r < R; r++) {
      int p = reached(top - r * dilation_h, stride_h, P);
      if (p < 0) continue;
      for (int s = 0; s < S; s++) {
        int q = reached(left - s * dilation_w, stride_w, Q);
        if (q >= 0) sum += from[(r * S + s) * row_step + p * Q + q];
      }
    }
    x[i] = sum;
  }
}

// Depthwise, a kernel for each channel: y (N, C, P, Q) = x convolved with weight (C, R, S), plus bias (C) if given.
extern "C" __global__ void depthwise(const real* x, const real* weight, const real* bias, real* y, int C,
                                     int H, int P, int R, int stride_h, int dilation_h, int pad_h,
                                     int W, int Q, int S, int stride_w, int dilation_w, int pad_w, wide n) {
  EACH(i, n) {
    wide plane = i / (P * Q);
    int place = i % (P * Q), top = place / Q * stride_h - pad_h, left = place % Q * stride_w - pad_w, c = plane % C;
    const real *from = x + plane * H * W, *kernel = weight + (wide)c * R * S;
    real sum = 0;
    for (int r = 0; r < R; r++) {
      int h = top + r * dilation_h;
      if (h < 0 || h >= H) continue;
      for (int s = 0; s < S; s++) {
        int w = left + s * dilation_w;
        if (w >= 0 && w < W) sum += kernel[r * S + s] * from[h * W + w];
      }
    }
    y[i] = bias ? sum + bias[c] : sum;
  }
}

// dx = the gradient to x of that, for the gradient dy to y, plus bias (C) if given.
extern "C" __global__ void depthwise_data(const real* dy, const real* weight, const real* bias, real* dx, int C,
                                          int H, int P, int R, int stride_h, int dilation_h, int pad_h,
                                          int W, int Q, int S, int stride_w, int dilation_w, int pad_w, wide n) {
  EACH(i, n) {
    wide plane = i / (H * W);
    int place = i % (H * W), top = place / W + pad_h, left = place % W + pad_w, c = plane % C;
    const real *from = dy + plane * P * Q, *kernel = weight + (wide)c * R * S;
    real sum = 0;
    for (int r = 0; r < R; r++) {
      int p = reached(top - r * dilation_h, stride_h, P);
      if (p < 0) continue;
      for (int s = 0; s < S; s++) {
        int q = reached(left - s * dilation_w, stride_w, Q);
        if (q >= 0) sum += kernel[r * S + s] * from[p * Q + q];
      }
    }
    dx[i] = bias ? sum + bias[c] : sum;
  }
}

// dweight (C, R, S) += the gradient to the weight; a block sums for a tap of a channel.
extern "C" __global__ void depthwise_weight(const real* x, const real* dy, real* dweight, int N, int C,
                                            int H, int P, int R, int stride_h, int dilation_h, int pad_h,
                                            int W, int Q, int S, int stride_w, int dilation_w, int pad_w) {
  EACH_ROW(row, (wide)C * R * S) {
    int c = row / (R * S), top = row / S % R * dilation_h - pad_h, left = row % S * dilation_w - pad_w;
    real sum = 0;
    EACH_IN_ROW(i, (wide)N * P * Q) {
      wide plane = i / (P * Q) * C + c;
      int place = i % (P * Q), h = top + place / Q * stride_h, w = left + place % Q * stride_w;
      if (h >= 0 && h < H && w >= 0 && w < W) sum += dy[plane * P * Q + place] * x[(plane * H + h) * W + w];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) dweight[row] += sum;
  }
}
