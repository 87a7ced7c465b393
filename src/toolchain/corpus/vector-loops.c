/* Loops that the vectoriser, the unroller and the induction variable passes look at. */
void add(float *restrict a, const float *restrict b, const float *restrict c, int n) {
  for (int i = 0; i < n; i++) a[i] = b[i] * c[i] + 1.5f;
}
int sum(const int *a, int n) {
  int total = 0;
  for (int i = 0; i < n; i++) total += a[i];
  return total;
}
unsigned char brightest(const unsigned char *p, long n) {
  unsigned char most = 0;
  while (n--) { if (*p > most) most = *p; p++; }
  return most;
}
void transpose(double m[16][16]) {
  for (int i = 0; i < 16; i++)
    for (int j = i + 1; j < 16; j++) { double t = m[i][j]; m[i][j] = m[j][i]; m[j][i] = t; }
}
void saxpy(int n, double k, const double *x, double *y) {
  for (int i = 0; i < n; i += 2) { y[i] += k * x[i]; y[i + 1] -= k * x[i + 1]; }
}
int find(const char *text, char wanted) {
  for (int i = 0; text[i]; i++) if (text[i] == wanted) return i;
  return -1;
}
void clear(char *p, unsigned long n) { for (unsigned long i = 0; i < n; i++) p[i] = 0; }
void copy(long *restrict to, const long *restrict from) { for (int i = 0; i < 9; i++) to[i] = from[8 - i]; }
typedef int quad __attribute__((vector_size(16)));
quad mix(quad a, quad b) { return __builtin_shuffle(a, b, (quad){ 0, 5, 2, 7 }) * a - (b >> 3); }
