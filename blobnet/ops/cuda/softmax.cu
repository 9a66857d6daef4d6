// Scores x are (outer, classes, inner), and their rows all those of one outer and one inner place; labels and whether
// they count are (outer, inner).

// out = exp(x - max) / sum of it; out may be x. A thread a row.
extern "C" __global__ void softmax(const real* x, real* out, int classes, wide inner, wide rows) {
  EACH(row, rows) {
    wide first = row / inner * classes * inner + row % inner, last = first + (classes - 1) * inner;
    real largest = x[first], sum = 0;
    for (wide i = first; i <= last; i += inner) largest = fmax(largest, x[i]);
    for (wide i = first; i <= last; i += inner) sum += out[i] = exp(x[i] - largest);
    for (wide i = first; i <= last; i += inner) out[i] /= sum;
  }
}

// out = y * (dy - sum of y * dy); out may be dy. A thread a row.
extern "C" __global__ void softmax_backward(const real* y, const real* dy, real* out, int classes, wide inner,
                                            wide rows) {
  EACH(row, rows) {
    wide first = row / inner * classes * inner + row % inner, last = first + (classes - 1) * inner;
    real sum = 0;
    for (wide i = first; i <= last; i += inner) sum += y[i] * dy[i];
    for (wide i = first; i <= last; i += inner) out[i] = (dy[i] - sum) * y[i];
  }
}

// The same for rows that are contiguous and long. A block a row.
extern "C" __global__ void softmax_backward_long(const real* y, const real* dy, real* out, int classes, wide rows) {
  EACH_ROW(row, rows) {
    wide first = row * classes;
    real sum = 0;
    EACH_IN_ROW(k, classes) sum += y[first + k] * dy[first + k];
    sum = block_sum(sum);
    EACH_IN_ROW(k, classes) out[first + k] = (dy[first + k] - sum) * y[first + k];
  }
}

// The largest of the values of all threads of a block; every thread gets it.
__device__ __forceinline__ real block_max(real value) {
  __shared__ real parts[1024];
  __syncthreads();  // whoever still reads the last one
  parts[threadIdx.x] = value;
  for (unsigned apart = 512; apart > 0; apart /= 2) {
    __syncthreads();
    if (threadIdx.x < apart && threadIdx.x + apart < blockDim.x)
      parts[threadIdx.x] = fmax(parts[threadIdx.x], parts[threadIdx.x + apart]);
  }
  __syncthreads();
  return parts[0];
}

// The softmax of rows that are contiguous and long. A block a row.
extern "C" __global__ void softmax_long(const real* x, real* out, int classes, wide rows) {
  EACH_ROW(row, rows) {
    wide first = row * classes;
    real largest = x[first], sum = 0;
    EACH_IN_ROW(k, classes) largest = fmax(largest, x[first + k]);
    largest = block_max(largest);
    EACH_IN_ROW(k, classes) sum += out[first + k] = exp(x[first + k] - largest);
    sum = block_sum(sum);
    EACH_IN_ROW(k, classes) out[first + k] /= sum;
  }
}

// parts (2, count) = for each of `count` parts of the n labels, the sum of -log p[label] * weights[label] over those
// that count, and their number. A block a part.
extern "C" __global__ void softmax_loss_parts(const real* p, const wide* labels, const bool* counted,
                                              const real* weights, real* parts, int count, int classes, wide inner,
                                              wide n) {
  EACH_ROW(part, count) {
    real sum = 0, number = 0;
    for (wide i = part * blockDim.x + threadIdx.x; i < n; i += count * (wide)blockDim.x) {
      if (!counted[i]) continue;
      real chosen = p[(i / inner * classes + labels[i]) * inner + i % inner], least = 1.1754943508222875e-38;
      sum -= log(chosen < least ? least : chosen) * (weights ? weights[labels[i]] : 1);
      number += 1;
    }
    sum = block_sum(sum);
    number = block_sum(number);
    if (threadIdx.x == 0) parts[part] = sum, parts[count + part] = number;
  }
}

// divisor = `normalizer`, or if that is 0 the number of labels that count, at least 1; loss = the sum of the parts
// divided by it. One block.
extern "C" __global__ void softmax_loss(const real* parts, real normalizer, real* loss, real* divisor, int count) {
  real sum = 0, number = 0;
  EACH_IN_ROW(part, count) sum += parts[part], number += parts[count + part];
  sum = block_sum(sum);
  number = block_sum(number);
  if (blockIdx.x || threadIdx.x) return;
  *divisor = normalizer ? normalizer : fmax(number, (real)1);
  *loss = sum / *divisor;
}

// dx = (p - [class is label]) * weights[label] * weight / divisor, 0 where the label does not count, even if p is NaN.
extern "C" __global__ void softmax_loss_backward(const real* p, const wide* labels, const bool* counted,
                                                 const real* weights, const real* weight, const real* divisor, real* dx,
                                                 int classes, wide inner, wide n) {
  EACH(i, n) {
    wide row = i / inner / classes * inner + i % inner;
    real slope = p[i] - (i / inner % classes == labels[row]);
    dx[i] = counted[row] ? slope * (*weight / *divisor) * (weights ? weights[labels[row]] : 1) : 0;
  }
}
