/* Integer constants folded at compile time: wide multiplies, divisions by constants, shifts, overflow in casts. */
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned int u32;

static const u64 table[] = {
  0xffffffffffffffffull / 10, 0x8000000000000000ull % 7, (u64)-1 >> 3, 1ull << 63,
  (u64)(s64)-5 * 3, 0x123456789abcdefull * 0xfedcba987654321ull, (u32)-1 / 3u, (u64)(int)0x80000000u,
};

u64 entry(unsigned i) { return table[i & 7]; }
u32 by_seven(u32 x) { return x / 7; }
int by_minus_eleven(int x) { return x / -11; }
u64 by_big(u64 x) { return x / 1000000007ull; }
s64 modulo(s64 x) { return x % 86400; }
u32 times_constant(u32 x) { return x * 0x9e3779b1u + x * 255; }
int sign(int x) { return (x > 0) - (x < 0); }
u64 rotate(u64 x, int n) { return (x << (n & 63)) | (x >> (-n & 63)); }
u64 variable_divide(u64 a, u64 b) { return a / b + a % b; }
int bits(u64 x) { return __builtin_popcountll(x) + __builtin_clzll(x | 1) + __builtin_ctzll(x | 1); }
u32 swap(u32 x) { return __builtin_bswap32(x); }
int overflow(int a, int b, int *out) { return __builtin_add_overflow(a, b, out) | __builtin_mul_overflow(a, 3, out); }

struct packed { u32 a : 3; s64 b : 41; u32 c : 20; } __attribute__((packed));
s64 field(struct packed *p) { p->a += 5; p->b ^= -7; return p->b + p->c; }
