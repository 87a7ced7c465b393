/* C++: templates, virtual tables, exceptions, lambdas, initialisers, constant evaluation, mangled names. */
namespace corpus {
template <typename T, int N> struct Fixed {
  T items[N]{};
  constexpr T total() const { T t{}; for (const T &x : items) t += x; return t; }
  template <typename F> void each(F f) { for (T &x : items) f(x); }
};
template <typename... Ts> constexpr unsigned long sizes = (sizeof(Ts) + ... + 0);
constexpr unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static_assert(fibonacci(20) == 6765);

struct Shape { virtual ~Shape(); virtual double area() const = 0; virtual int sides() const { return 0; } };
struct Named { const char *name; virtual const char *text() const { return name; } };
struct Square final : Shape, virtual Named { double w; double area() const override { return w * w; } int sides() const override { return 4; } };
Shape::~Shape() = default;

struct Guard { int &count; explicit Guard(int &c) : count(c) { ++count; } ~Guard() { --count; } };
extern void may_throw(int);
int guarded(int x) {
  int count = 0;
  try { Guard g(count); may_throw(x); throw x; }
  catch (int e) { return e + count; }
  catch (...) { return -1; }
}
int counter() { static Fixed<int, 5> once{{fibonacci(9) > 3, 2, 3}}; once.each([n = 3](int &x) mutable { x += n++; }); return once.total(); }
double area(const Shape &s) { return s.area() * s.sides() + static_cast<double>(sizes<char, int, Square>); }
Square *as_square(Shape *s) { return dynamic_cast<Square *>(s); }
template <typename T> __attribute__((noinline)) T larger(T a, T b) { return a < b ? b : a; }
template int larger<int>(int, int);
template long double larger<long double>(long double, long double);
inline namespace v2 { enum class Colour : short { red = 3, green }; Colour next(Colour c) { return static_cast<Colour>(static_cast<int>(c) + 1); } }
thread_local Fixed<char, 3> local;
Fixed<char, 3> *where() { return &local; }
static struct Start { int x; Start() : x(counter()) {} } start;
}
