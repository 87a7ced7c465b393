/*
 * What the real compiler inherits: the descriptor that counts it, at the agent or by a lock file.
 * Part of meshcc-shim.c.
 */
#ifndef MESHCC_LOCAL_SLOT_H
#define MESHCC_LOCAL_SLOT_H

/* Inherited descriptors lie above those that MAKEFLAGS may still name although make has closed them. */
enum { FIRST_INHERITED_FD = 64 };

static void survive_exec(int fd) {
  if (fcntl(fd, F_DUPFD, FIRST_INHERITED_FD) < 0) fcntl(fd, F_SETFD, 0);
}

/*
 * Without an agent that counts, `make -j200` would start 200 compilers at once: holds one of as many lock
 * files as there are processors, until the compiler has ended. Without a directory for them, does nothing.
 */
static void wait_for_slot(int directory) {
  cpu_set_t processors;
  if (directory < 0 || sched_getaffinity(0, sizeof processors, &processors)) return;
  int count = CPU_COUNT(&processors);
  for (int i = 0; i <= count; i++) {
    char digits[DECIMAL_BYTES];
    const char *file = joined("slot.", decimal((unsigned)(getpid() + i) % count, digits), NULL);
    int fd = openat(directory, file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return;
    if (flock(fd, i < count ? LOCK_EX | LOCK_NB : LOCK_EX) == 0) return survive_exec(fd);
    close(fd);
  }
}

#endif
