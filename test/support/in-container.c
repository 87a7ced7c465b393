// Runs a command as an ordinary container would: without the system calls that make namespaces and mounts, which the
// default profiles of Docker and Podman forbid. `--no-filters` before the command: as on a kernel that has no system
// call filters either.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(number, action)                                    \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(number), 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (action))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

static struct sock_filter namespaces[] = {
    LOAD(nr),
    CALL(SYS_unshare, EPERM),
    CALL(SYS_setns, EPERM),
    CALL(SYS_mount, EPERM),
    CALL(SYS_umount2, EPERM),
    CALL(SYS_pivot_root, EPERM),
    CALL(435 /* clone3: its flags lie in memory */, ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_filter filters[] = {
    LOAD(nr),
    CALL(SYS_seccomp, ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

#define INSTALL(program)                                                                     \
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,                                               \
          &(struct sock_fprog){sizeof(program) / sizeof *(program), program}, 0, 0)

int main(int argc, char **argv)
{
    int without_filters = argc > 1 && !strcmp(argv[1], "--no-filters");
    char **command = argv + 1 + without_filters;
    if (!*command) return 64;
    // Root may do without, and then programs with file capabilities still work in the container.
    if (geteuid() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 1;
    if (INSTALL(namespaces) || (without_filters && INSTALL(filters))) {
        perror("installing the filters");
        return 1;
    }
    execvp(command[0], command);
    perror(command[0]);
    return 127;
}
