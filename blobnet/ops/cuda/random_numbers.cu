typedef unsigned long long word;

// out[i] = the i-th number of NumPy's Philox (4x64, 10 rounds), uniform in [0, 1). Block b of four random words comes
// from the counter (b + 1, call, step, 0); a double takes a word, a float half of one, the low half first.
extern "C" __global__ void uniform(real* out, wide key0, wide key1, wide call, const wide* step, wide n) {
  const int each = 32 / sizeof(real);
  EACH(b, (n + each - 1) / each) {
    word words[4] = {(word)b + 1, (word)call, (word)*step, 0}, first = key0, second = key1;
    for (int round = 0; round < 10; round++) {
      const word one = 0xD2E7470EE14C6C93, other = 0xCA5A826395121157;
      word a = words[0], c = words[2];
      words[0] = __umul64hi(other, c) ^ words[1] ^ first;
      words[1] = other * c;
      words[2] = __umul64hi(one, a) ^ words[3] ^ second;
      words[3] = one * a;
      first += 0x9E3779B97F4A7C15, second += 0xBB67AE8584CAA73B;
    }
    for (int i = 0; i < each && b * each + i < n; i++) {
      unsigned half = words[i / 2 % 4] >> (i % 2 ? 32 : 0);
      out[b * each + i] = each == 8 ? (half >> 8) * (real)0x1p-24 : (words[i % 4] >> 11) * (real)0x1p-53;
    }
  }
}
