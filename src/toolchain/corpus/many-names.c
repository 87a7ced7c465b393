/* Many declarations: the order of what comes out must not depend on where the compiler's tables lie in memory. */
#define FOUR(m, p) m(p##a) m(p##b) m(p##c) m(p##d)
#define SIXTEEN(m, p) FOUR(m, p##e) FOUR(m, p##f) FOUR(m, p##g) FOUR(m, p##h)
#define ALL(m) SIXTEEN(m, x) SIXTEEN(m, y) SIXTEEN(m, z)

#define TYPE(n) struct s_##n { int a; struct s_##n *next; char name[sizeof(#n)]; }; enum e_##n { first_##n = sizeof(#n), last_##n };
ALL(TYPE)
#define VARIABLE(n) static struct s_##n v_##n = { last_##n, &v_##n, #n }; int g_##n; extern int u_##n;
ALL(VARIABLE)
#define FUNCTION(n) static int f_##n(int x) { static int count; count += x; return v_##n.a + u_##n + g_##n++ + count; }
ALL(FUNCTION)
#define CALL(n) total ^= f_##n(total);
int call_all(int total) { ALL(CALL) return total; }
#define WEAK(n) __attribute__((weak)) void w_##n(void) { g_##n = 1; }
ALL(WEAK)
const char *const texts[] = { "one", "two", "three", "one", "two words", "words" };
__thread int per_thread = 3;
int *where(void) { return &per_thread; }
