/* What the inliner, cloning and tail calls decide about: sizes, recursion, constants passed down. */
struct node { struct node *left, *right; int key; int weight; };
static int depth(const struct node *n) {
  if (!n) return 0;
  int l = depth(n->left), r = depth(n->right);
  return 1 + (l > r ? l : r);
}
static inline int small(int x) { return x * x + 1; }
static int used_once(int a, int b, int c) { return small(a) * small(b) - small(c) + (a ^ b); }
static __attribute__((noinline)) int with_constant(int x, int mode) {
  if (mode == 1) return x + 3;
  if (mode == 2) return x * 5;
  return x;
}
static long factorial(long n, long acc) { return n < 2 ? acc : factorial(n - 1, n * acc); }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int apply(int (*f)(const void *, const void *), int *p) { return f(p, p + 1); }
int is_even(unsigned n);
static int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }
int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
int all(struct node *n, int *p, int x) {
  return depth(n) + used_once(x, 7, *p) + with_constant(x, 1) + with_constant(x, 2) + (int)factorial(x, 1) +
    apply(compare, p) + __builtin_expect(is_odd((unsigned)x), 0);
}
__attribute__((cold)) void rarely(int x) { if (x) all(0, &x, x); }
__attribute__((const)) static int pure(int x) { return (x << 3) - x; }
int reuse(int x) { return pure(x) + pure(x) * pure(x + 1); }
