/* Stack frames, structures by value, variable arguments, arrays of variable length, atomics, inline assembly. */
typedef __builtin_va_list va_list;
struct pair { double a; int b; };
struct large { long words[12]; };
extern void take(void *, unsigned long);
extern struct large make(int, struct pair, struct large);

struct pair swap(struct pair p) { return (struct pair){ p.b, (int)p.a }; }
long variable(unsigned long n) {
  char block[n];
  take(block, n);
  return block[n / 2];
}
long fixed(int x) {
  char buffer[64];
  struct large l = { { x } };
  take(buffer, sizeof buffer);
  l = make(x, swap((struct pair){ x, 3 }), l);
  return l.words[x & 7] + buffer[3];
}
double add_up(int n, ...) {
  va_list args;
  double total = 0;
  __builtin_va_start(args, n);
  while (n-- > 0) total += n & 1 ? __builtin_va_arg(args, double) : __builtin_va_arg(args, int);
  __builtin_va_end(args);
  return total;
}
void *on_stack(unsigned long n) { void *p = __builtin_alloca(n); take(p, n); return __builtin_return_address(0); }
int atomic(int *p) { return __atomic_fetch_add(p, 3, __ATOMIC_SEQ_CST) + __atomic_load_n(p, __ATOMIC_ACQUIRE); }
_Bool exchange(long *p, long *old) { return __atomic_compare_exchange_n(p, old, 7, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED); }
volatile int device;
int poll(void) { while (device & 4) __asm__ volatile("" ::: "memory"); return device; }
void copy_large(struct large *to, const struct large *from) { *to = *from; __builtin_memset(to, 0, 24); }
int unaligned(const void *p) { int x; __builtin_memcpy(&x, p, sizeof x); return x; }
