// Standardising the channels of arrays (N, C, S). A row of a grid is a part of a channel, row = c * parts + part.

// Where the numbers of a thread lie, of those of the part of a row: first `at`.
struct Place {
  wide at, i, end, s, S, over, step, ahead;
  __device__ Place(wide row, wide N, wide C, wide S, wide parts) : S(S), over((C - 1) * S) {
    wide c = row / parts, part = row % parts;
    i = N * S * part / parts + threadIdx.x;
    end = N * S * (part + 1) / parts;
    s = i % S;
    at = (i / S * C + c) * S + s;
    step = blockDim.x % S;
    ahead = blockDim.x / S * C * S + step;
  }
  __device__ bool inside() const { return i < end; }
  __device__ void next() {
    i += blockDim.x;
    s += step;
    at += ahead;
    if (s >= S) {
      s -= S;
      at += over;
    }
  }
};

// The loop of a block's threads over the part of a row.
#define EACH_OF_PART(p, row) for (Place p(row, N, C, S, parts); p.inside(); p.next())

// How many numbers the part of a row has.
__device__ real part_size(wide row, wide count, wide parts) {
  wide part = row % parts;
  return count * (part + 1) / parts - count * part / parts;
}

// The sum over the parts of channel c.
__device__ real block_sum_of_parts(const real* sums, wide c, wide parts) {
  real sum = 0;
  EACH_IN_ROW(part, parts) sum += sums[c * parts + part];
  return block_sum(sum);
}

// Of each part the sum, and unless null the sum of the squares of what its numbers are away from their mean.
extern "C" __global__ void part_moments(const real* x, real* sums, real* squares, wide N, wide C, wide S, wide parts) {
  EACH_ROW(row, C * parts) {
    real sum = 0, square = 0;
    EACH_OF_PART(p, row) sum += x[p.at];
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[row] = sum;
    if (!squares) continue;
    real mean = sum / part_size(row, N * S, parts);
    EACH_OF_PART(p, row) square += (x[p.at] - mean) * (x[p.at] - mean);
    square = block_sum(square);
    if (threadIdx.x == 0) squares[row] = square;
  }
}

// out = x - mean, of the sums of the parts.
extern "C" __global__ void center(const real* x, const real* sums, real* mean, real* out, wide N, wide C, wide S,
                                  wide parts) {
  EACH_ROW(row, C * parts) {
    real m = block_sum_of_parts(sums, row / parts, parts) / (N * S);
    if (row % parts == 0 && threadIdx.x == 0) mean[row / parts] = m;
    EACH_OF_PART(p, row) out[p.at] = x[p.at] - m;
  }
}

// out = value, and y = value * factor + bias, or 0 where that is less if it rectifies; what is null is left out.
__device__ void write_tail(real value, wide at, wide c, real* out, const real* factor, const real* bias, int rectifies,
                           real* y) {
  if (out != y) out[at] = value;
  if (!y) return;
  if (factor) value *= factor[c];
  if (bias) value += bias[c];
  y[at] = rectifies && value < 0 ? 0 : value;
}

// Mean, variance and deviation of the moments of the parts, out = (x - mean) / deviation, and the tail of that.
extern "C" __global__ void standardize(const real* x, const real* sums, const real* squares, real inside, real outside,
                                       real* mean, real* variance, real* deviation, real* out, const real* factor,
                                       const real* bias, int rectifies, real* y, wide N, wide C, wide S, wide parts) {
  EACH_ROW(row, C * parts) {
    wide c = row / parts;
    real m = block_sum_of_parts(sums, c, parts) / (N * S), square = 0;
    EACH_IN_ROW(part, parts) {
      real size = part_size(part, N * S, parts), away = sums[c * parts + part] / size - m;
      square += squares[c * parts + part] + size * away * away;
    }
    real v = block_sum(square) / (N * S), s = sqrt(v + inside) + outside;
    if (row % parts == 0 && threadIdx.x == 0) {
      mean[c] = m;
      variance[c] = v;
      deviation[c] = s;
    }
    EACH_OF_PART(p, row) write_tail((x[p.at] - m) / s, p.at, c, out, factor, bias, rectifies, y);
  }
}

// out = (x - mean) / deviation, and the tail of that.
extern "C" __global__ void normalize(const real* x, const real* mean, const real* deviation, real* out,
                                     const real* factor, const real* bias, int rectifies, real* y, wide N, wide C,
                                     wide S, wide parts) {
  EACH_ROW(row, C * parts) {
    wide c = row / parts;
    EACH_OF_PART(p, row) write_tail((x[p.at] - mean[c]) / deviation[c], p.at, c, out, factor, bias, rectifies, y);
  }
}

// Of each part the sums of g * out and of g; g = dy where y > 0, or everywhere if y is null.
extern "C" __global__ void part_slopes(const real* out, const real* y, const real* dy, real* slopes, real* shifts,
                                       wide N, wide C, wide S, wide parts) {
  EACH_ROW(row, C * parts) {
    real slope = 0, shift = 0;
    EACH_OF_PART(p, row) {
      real g = y ? dy[p.at] * (y[p.at] > 0) : dy[p.at];
      slope += g * out[p.at];
      shift += g;
    }
    slope = block_sum(slope);
    shift = block_sum(shift);
    if (threadIdx.x == 0) {
      slopes[row] = slope;
      shifts[row] = shift;
    }
  }
}

// dx = (g - mean of g - out * mean of g * out) * factor / deviation, without the means if `given`; dy = g * factor;
// what is not null of_factor += sum of g * out and of_bias += sum of g.
extern "C" __global__ void tail_backward(const real* out, const real* y, real* dy, const real* slopes,
                                         const real* shifts, const real* deviation, const real* factor, int given,
                                         real* dx, real* of_factor, real* of_bias, wide N, wide C, wide S, wide parts) {
  EACH_ROW(row, C * parts) {
    wide c = row / parts;
    real slope = block_sum_of_parts(slopes, c, parts), shift = block_sum_of_parts(shifts, c, parts);
    real f = factor ? factor[c] : 1;
    if (row % parts == 0 && threadIdx.x == 0) {
      if (of_factor) of_factor[c] += slope;
      if (of_bias) of_bias[c] += shift;
    }
    slope = slope / (N * S) * f;
    shift = shift / (N * S) * f;
    EACH_OF_PART(p, row) {
      real g = y ? dy[p.at] * (y[p.at] > 0) * f : dy[p.at] * f;
      if (dx != dy && (y || factor)) dy[p.at] = g;
      dx[p.at] = (given ? g : g - out[p.at] * slope - shift) / deviation[c];
    }
  }
}

// total = fraction * total + what came, for the sums of means and of variances * unbiased (C), and their number.
extern "C" __global__ void keep_statistics(const real* mean, const real* variance, real unbiased, real fraction,
                                           real* means, real* variances, real* number, wide C) {
  EACH(c, C) {
    means[c] = means[c] * fraction + mean[c];
    variances[c] = variances[c] * fraction + variance[c] * unbiased;
    if (c == 0) *number = *number * fraction + 1;
  }
}

// mean and variance = those sums (C) / number, or 0 if that is 0; their deviation.
extern "C" __global__ void stored_statistics(const real* means, const real* variances, const real* number, real inside,
                                           real outside, real* mean, real* variance, real* deviation, wide C) {
  real scale = *number ? 1 / *number : *number;
  EACH(c, C) {
    mean[c] = means[c] * scale;
    real v = variances[c] * scale;
    variance[c] = v;
    deviation[c] = sqrt(v + inside) + outside;
  }
}
