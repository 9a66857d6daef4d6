// out = x * factor + bias of (outer, count, inner), for factor and bias (count), either of which may be missing.
extern "C" __global__ void scale_shift(const real* x, const real* factor, const real* bias, real* out, int count,
                                       wide inner, wide n) {
  EACH(i, n) {
    int c = i / inner % count;
    real value = factor ? x[i] * factor[c] : x[i];
    out[i] = bias ? value + bias[c] : value;
  }
}

// out[c] = the sum of x (outer, count, inner), or of x * times, over outer and inner, or out[c] += it: a block for each
// c, in which groups of threads that lie side by side, as many as are needed for inner, read a row each.
extern "C" __global__ void channel_sums(const real* x, const real* times, real* out, wide outer, int count, wide inner,
                                        int add) {
  unsigned width = 1;
  while (width < inner && blockDim.x % (2 * width) == 0) width *= 2;
  EACH_ROW(c, count) {
    real sum = 0;
    for (wide n = threadIdx.x / width; n < outer; n += blockDim.x / width) {
      wide row = (n * count + c) * inner;
      for (wide s = threadIdx.x % width; s < inner; s += width) sum += times ? x[row + s] * times[row + s] : x[row + s];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[c] = add ? out[c] + sum : sum;
  }
}
