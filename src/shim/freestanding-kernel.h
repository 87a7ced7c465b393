/*
 * The kernel as the shim uses it: the start of the program, and system calls under the names of the C library.
 * Part of freestanding.c. The conventions: man 2 syscall; the start: the psABI of each processor.
 */
#ifndef MESHCC_FREESTANDING_KERNEL_H
#define MESHCC_FREESTANDING_KERNEL_H

/* The start of the program, and the one instruction that enters the kernel. */

#if defined __x86_64__ && !defined __ILP32__
_Static_assert(sizeof(struct stat) == 144 && offsetof(struct stat, st_mode) == 24, "struct stat of the kernel");
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start_program\n hlt\n");

static long enter_kernel(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined __aarch64__ && defined __LP64__ && !defined __AARCH64EB__
_Static_assert(sizeof(struct stat) == 128 && offsetof(struct stat, st_mode) == 16, "struct stat of the kernel");
__asm__(".globl _start\n_start: mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n b start_program\n");

static long enter_kernel(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

#elif defined __riscv && __riscv_xlen == 64
_Static_assert(sizeof(struct stat) == 128 && offsetof(struct stat, st_mode) == 16, "struct stat of the kernel");
__asm__(".globl _start\n_start: .option push\n .option norelax\n lla gp, __global_pointer$\n .option pop\n"
        " mv a0, sp\n andi sp, sp, -16\n tail start_program\n");

static long enter_kernel(long number, long a, long b, long c, long d, long e, long f) {
  register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d, a4 __asm__("a4") = e, a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
}

#else
#error "the way into this processor's kernel is not known here: the shim needs a whole C library"
#endif

char **environ;
static const unsigned long *auxiliary; /* pairs of type and value */
static int error_number;

int *__errno_location(void) { return &error_number; }

int main(int argc, char **argv);

/* `stack` as the kernel leaves it: argc, argv, NULL, environment, NULL, auxiliary vector. */
__attribute__((used)) _Noreturn void start_program(long *stack) {
  char **argv = (char **)(stack + 1);
  environ = argv + *stack + 1;
  char **end = environ;
  while (*end) end++;
  auxiliary = (const unsigned long *)(end + 1);
  _exit(main((int)*stack, argv));
}

unsigned long getauxval(unsigned long type) {
  for (const unsigned long *pair = auxiliary; *pair != AT_NULL; pair += 2)
    if (*pair == type) return pair[1];
  errno = ENOENT;
  return 0;
}

/* System calls. SYSTEM(name, up to six arguments) gives the result, or -1 with errno. */

static long settled(long result) {
  if ((unsigned long)result < -4095ul) return result;
  errno = (int)-result;
  return -1;
}

#define SIX(number, a, b, c, d, e, f, ...) \
  settled(enter_kernel(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define SYSTEM(name, ...) SIX(SYS_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

enum { KERNEL_SIGSET_BYTES = 8 };

_Noreturn void _exit(int status) {
  for (;;) SYSTEM(exit_group, status);
}

int openat(int directory, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return (int)SYSTEM(openat, directory, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
  va_end(more);
  return (int)SYSTEM(openat, AT_FDCWD, path, flags, mode);
}

int close(int fd) { return (int)SYSTEM(close, fd); }
ssize_t read(int fd, void *to, size_t length) { return SYSTEM(read, fd, to, length); }
ssize_t write(int fd, const void *from, size_t length) { return SYSTEM(write, fd, from, length); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return SYSTEM(writev, fd, parts, count); }
int stat(const char *path, struct stat *to) { return (int)SYSTEM(newfstatat, AT_FDCWD, path, to, 0); }
int lstat(const char *path, struct stat *to) {
  return (int)SYSTEM(newfstatat, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
int fstat(int fd, struct stat *to) { return (int)SYSTEM(fstat, fd, to); }
int access(const char *path, int mode) { return (int)SYSTEM(faccessat, AT_FDCWD, path, mode); }
int unlink(const char *path) { return (int)SYSTEM(unlinkat, AT_FDCWD, path, 0); }
int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
  return (int)SYSTEM(linkat, from_directory, from, to_directory, to, flags);
}
ssize_t readlink(const char *path, char *to, size_t length) {
  return SYSTEM(readlinkat, AT_FDCWD, path, to, length);
}
int rename(const char *from, const char *to) {
#ifdef SYS_renameat
  return (int)SYSTEM(renameat, AT_FDCWD, from, AT_FDCWD, to);
#else
  return (int)SYSTEM(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
#endif
}
mode_t umask(mode_t mask) { return (mode_t)SYSTEM(umask, mask); }
uid_t getuid(void) { return (uid_t)SYSTEM(getuid, 0); }
pid_t getpid(void) { return (pid_t)SYSTEM(getpid, 0); }
int flock(int fd, int operation) { return (int)SYSTEM(flock, fd, operation); }

/* NULL as well where the kernel says "(unreachable)", with ENOENT as a C library has it. */
char *getcwd(char *to, size_t length) {
  if (SYSTEM(getcwd, to, length) < 0) return NULL;
  if (*to == '/') return to;
  errno = ENOENT;
  return NULL;
}

int fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  long argument = va_arg(more, int); /* F_DUPFD, F_SETFD, F_SETFL */
  va_end(more);
  return (int)SYSTEM(fcntl, fd, command, argument);
}

#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request; /* musl */
#endif

int ioctl(int fd, ioctl_request request, ...) {
  va_list more;
  va_start(more, request);
  void *argument = va_arg(more, void *);
  va_end(more);
  return (int)SYSTEM(ioctl, fd, (unsigned)request, argument);
}

int isatty(int fd) {
  struct termios state; /* larger than the kernel's */
  return ioctl(fd, TCGETS, &state) == 0;
}

int sched_getaffinity(pid_t pid, size_t length, cpu_set_t *to) {
  memset(to, 0, length);
  return SYSTEM(sched_getaffinity, pid, length, to) < 0 ? -1 : 0;
}

int __sched_cpucount(size_t length, const cpu_set_t *set) { /* behind CPU_COUNT */
  int count = 0;
  for (size_t i = 0; i < 8 * length; i++) count += CPU_ISSET_S(i, length, set) != 0;
  return count;
}

int socket(int domain, int type, int protocol) { return (int)SYSTEM(socket, domain, type, protocol); }
int connect(int fd, const struct sockaddr *to, socklen_t length) { return (int)SYSTEM(connect, fd, to, length); }
int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  return (int)SYSTEM(setsockopt, fd, level, option, value, length);
}
int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
  return (int)SYSTEM(getsockopt, fd, level, option, value, length);
}
ssize_t send(int fd, const void *from, size_t length, int flags) {
  return SYSTEM(sendto, fd, from, length, flags, NULL, 0);
}
ssize_t recv(int fd, void *to, size_t length, int flags) {
  return SYSTEM(recvfrom, fd, to, length, flags, NULL, NULL);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
  return (int)SYSTEM(ppoll, fds, count, timeout_ms < 0 ? NULL : &limit, NULL);
}

/* The kernel's set of signals is the first word of the C library's. */
int sigemptyset(sigset_t *set) { return memset(set, 0, sizeof *set), 0; }
int sigaddset(sigset_t *set, int signal) { return *(unsigned long *)set |= 1ul << (signal - 1), 0; }
int sigdelset(sigset_t *set, int signal) { return *(unsigned long *)set &= ~(1ul << (signal - 1)), 0; }
int sigismember(const sigset_t *set, int signal) { return *(const unsigned long *)set >> (signal - 1) & 1; }
int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  return (int)SYSTEM(rt_sigprocmask, how, set, old, KERNEL_SIGSET_BYTES);
}
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit) {
  return (int)SYSTEM(rt_sigtimedwait, set, info, limit, KERNEL_SIGSET_BYTES);
}
int signalfd(int fd, const sigset_t *set, int flags) {
  return (int)SYSTEM(signalfd4, fd, set, KERNEL_SIGSET_BYTES, flags);
}

/* Only asks: the shim installs no handler. */
int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  unsigned long found[8]; /* the kernel's structure: the handler comes first, and it has no more than five words */
  if (action) return errno = EINVAL, -1;
  if (SYSTEM(rt_sigaction, signal, NULL, found, KERNEL_SIGSET_BYTES)) return -1;
  *old = (struct sigaction){.sa_handler = (void (*)(int))found[0]};
  return 0;
}

#endif
