// dx = dy where x > 0, else slope * dy; of the slopes, one for each of `count` places of a row, or one for all.
extern "C" __global__ void relu_backward(const real* x, const real* dy, real slope, real* dx, wide n) {
  EACH(i, n) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
}
