// All pairs of rows of u (N, K), and of rows of 0/1 labels (N, L). Sums are doubles, as those of the NumPy twin are.
// squared_distance is that of distances.cu.

// How many labels rows i of a and j of b have in common, and the squares of each added up, or its labels.
struct Common {
  real both = 0, own = 0, other = 0;
  __device__ Common(const real* a, const real* b, wide i, wide j, wide L, bool square) {
    for (wide l = 0; l < L; l++) {
      real x = a[i * L + l], y = b[j * L + l];
      both += x * y;
      own += square ? x * x : x;
      other += square ? y * y : y;
    }
  }
};

// costs and signs (N, N) of all pairs, and of row i: what its pairs cost, and sums[N + i] what its numbers are away
// from -1 and +1.
extern "C" __global__ void margin_pairs(const real* u, const bool* alike, double margin, double* costs, double* signs,
                                        double* sums, wide N, wide K) {
  EACH_ROW(i, N) {
    double cost = 0, pull = 0;
    EACH_IN_ROW(j, N) {
      double distance = squared_distance(u + i * K, u + j * K, K), gap = margin - distance;
      wide p = i * N + j;
      costs[p] = alike[p] ? distance : gap < 0 ? 0 : gap;
      signs[p] = alike[p] ? 1 : gap > 0 ? -1 : 0;
      if (i != j) cost += costs[p];
    }
    EACH_IN_ROW(k, K) pull += abs(abs(u[i * K + k]) - 1);
    cost = block_sum(cost);
    pull = block_sum(pull);
    if (threadIdx.x == 0) {
      sums[i] = cost;
      sums[N + i] = pull;
    }
  }
}

// loss = cost / (2 N (N - 1)) + tradeoff * pull / N, of the sums of all rows; NaN of one.
extern "C" __global__ void margin_loss(const double* sums, double tradeoff, real* loss, wide N) {
  EACH_ROW(row, 1) {
    double cost = 0, pull = 0;
    EACH_IN_ROW(i, N) {
      cost += sums[i];
      pull += sums[N + i];
    }
    cost = block_sum(cost);
    pull = block_sum(pull);
    if (threadIdx.x == 0) *loss = cost / 2 / (N * (N - 1)) + tradeoff * pull / N;
  }
}

// sum over j of signs_ij * (u_ik - u_jk).
__device__ double pulled(const double* signs, const real* u, wide i, wide k, wide N, wide K) {
  double sum = 0, others = 0;
  for (wide j = 0; j < N; j++) {
    sum += signs[i * N + j];
    others += signs[i * N + j] * u[j * K + k];
  }
  return sum * u[i * K + k] - others;
}

// out (N, K), all numbers.
extern "C" __global__ void pull_gradient(const double* signs, const real* u, double* out, wide N, wide K) {
  EACH(p, N * K) out[p] = pulled(signs, u, p / K, p % K, N, K);
}

// out (N, K) = weight * (of_pairs * that + of_pull * slope of | |u| - 1 |).
extern "C" __global__ void margin_gradient(const real* u, const double* signs, const real* weight, double of_pairs,
                                           double of_pull, real* out, wide N, wide K) {
  EACH(p, N * K) {
    double slope = u[p] >= 1 || (u[p] <= 0 && u[p] >= -1) ? 1 : -1;
    out[p] = *weight * (of_pairs * pulled(signs, u, p / K, p % K, N, K) + of_pull * slope);
  }
}

// lacks (N) = max(0, margin - p + q), NaN stays; loss = their mean.
extern "C" __global__ void ranking_loss(const real* p, const real* q, real margin, real* lacks, real* loss, wide N) {
  EACH_ROW(row, 1) {
    real sum = 0;
    EACH_IN_ROW(i, N) {
      real lack = margin - p[i] + q[i];
      sum += lacks[i] = lack < 0 ? 0 : lack;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) *loss = sum / (N ? N : 1);
  }
}

// alike, weights and, unless null, shares (N, N) of the labels in common; sums of the weights of each row.
extern "C" __global__ void label_pairs(const real* a, const real* b, double times, bool* alike, double* weights,
                                       real* shares, double* sums, wide N, wide L) {
  EACH_ROW(i, N) {
    double sum = 0;
    EACH_IN_ROW(j, N) {
      Common c(a, b, i, j, L, true);
      wide p = i * N + j;
      alike[p] = c.both > 0;
      sum += weights[p] = (c.both > 0 ? times : 1) * (c.both >= 0 && c.both < L);
      real sizes = c.own * c.other;
      if (shares) shares[p] = c.both == 0 ? 1 : 4 * (c.both * c.both) / (sizes > 0 ? sizes : 1);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[i] = sum;
  }
}

// total = the sum of the sums of N rows, or 1 where it would be 0.
extern "C" __global__ void total_weight(const double* sums, double* total, wide N) {
  EACH_ROW(row, 1) {
    double sum = 0;
    EACH_IN_ROW(i, N) sum += sums[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *total = sum > 0 ? sum : 1;
  }
}

// counts: how many others row i is alike.
extern "C" __global__ void alike_counts(const bool* alike, double* counts, wide N) {
  EACH_ROW(i, N) {
    double count = 0;
    EACH_IN_ROW(j, N) count += i != j && alike[i * N + j];
    count = block_sum(count);
    if (threadIdx.x == 0) counts[i] = count;
  }
}

// weights (N, N): `times` where alike, else 1, and unless counts is null times what they share; 0 on the diagonal.
extern "C" __global__ void pair_weights(const real* labels, const bool* alike, const double* counts, double times,
                                        double* weights, wide N, wide L) {
  EACH_ROW(i, N) {
    double count = 0, pairs = N * (N - 1);
    if (counts) EACH_IN_ROW(j, N) count += counts[j];
    double positive = block_sum(count), negative = pairs - positive;
    EACH_IN_ROW(j, N) {
      bool both = alike[i * N + j];
      double weight = both ? times : 1;
      if (counts && both && L > 1) {
        Common c(labels, labels, i, j, L, false);
        real either = c.own + c.other - c.both;
        weight *= c.both / (either < 1 ? 1 : either);
      }
      if (counts) weight *= pairs / max(both ? positive : negative, 1.0);
      weights[i * N + j] = i == j ? 0 : weight;
    }
  }
}
