/* Floating constants folded at compile time, in every format: what the compiler's own arithmetic makes of them. */
static const float singles[] = { 0.1f, 1.0f / 3, 16777217.0f, 1e-45f, 3.4028235e38f, (float)1e-50, 0x1.fffffep-1f };
static const double doubles[] = { 0.1, 1.0 / 3, 9007199254740993.0, 5e-324, 1.7976931348623157e308, 2.0 / 7 * 3.5 };
static const long double longs[] = { 0.1L, 1.0L / 3, 1e4000L * 1e-4000L, 3.14159265358979323846264338327950288L };
static const double folded[] = {
  __builtin_sqrt(2.0), __builtin_sin(1.0), __builtin_cos(0.5), __builtin_exp(1.0), __builtin_log(10.0),
  __builtin_pow(1.1, 17.0), __builtin_atan2(1.0, 3.0), __builtin_cbrt(10.0), __builtin_floor(-1.5),
  __builtin_fmod(10.25, 3.0), __builtin_hypot(3.1, 4.2), __builtin_tgamma(4.5), __builtin_nan("0x1234"),
};

double pick(int i) {
  return singles[i % 7] + doubles[i % 6] + (double)longs[i % 4] + folded[i % 13];
}
long double wide(long double a, long double b) { return a * b + a / b - 0.7L; }
float narrow(double x) { return (float)x * 0.3f; }
int truncate(double x) { return (int)x + (int)(unsigned)x; }
double from_integer(unsigned long long x, int y) { return (double)x + y; }
int compare(double a, double b) { return (a < b) + 2 * (a == b) + 4 * __builtin_isunordered(a, b); }
double fused(double a, double b, double c) { return a * b + c; }
int classify(double x) { return __builtin_isnan(x) | __builtin_isinf(x) << 1 | __builtin_signbit(x) << 2; }
_Complex double turn(_Complex double z, _Complex double w) { return z * w / (z + 1.5i); }
