/* Switches that become jump tables, bit tests, trees of comparisons and tables of values. */
int dense(int x) {
  switch (x) {
    case 0: return 17; case 1: return 4; case 2: return 99; case 3: return -3; case 4: return 8;
    case 5: return 1000; case 6: return 42; case 7: return 7; case 8: return 23; default: return -1;
  }
}
extern void act(int);
void jump(unsigned x, int y) {
  switch (x) {
    case 10: act(y); break; case 11: act(y + 1); act(2); break; case 12: act(y * 3); break;
    case 13: act(-y); /* fall through */ case 14: act(5); break; case 15: act(y ^ 1); break;
    case 16: act(y / 3); break; case 17: act(x); break; case 40: act(0);
  }
}
int sparse(long x) {
  switch (x) {
    case -100000: return 1; case 3: return 2; case 77: return 3; case 4096: return 4;
    case 1000003: return 5; case 1l << 20: return 6; default: return 0;
  }
}
int letters(char c) {
  switch (c) {
    case 'a': case 'e': case 'i': case 'o': case 'u': case 'y': return 1;
    case '0' ... '9': return 2;
    case ' ': case '\t': case '\n': return 3;
  }
  return 0;
}
int threaded(const unsigned char *code) {
  static const void *const labels[] = { &&stop, &&push, &&twice, &&drop };
  int stack = 0;
  goto *labels[*code & 3];
push: stack++; goto *labels[*++code & 3];
twice: stack *= 2; goto *labels[*++code & 3];
drop: stack--; goto *labels[*++code & 3];
stop: return stack;
}
