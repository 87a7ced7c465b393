// What a hostile program tries in the place of a compiler. It refuses where it sees /proc, that is outside of a
// sandbox: most of this would harm the machine. The tests run it as a job of its own (test/sandbox), and in the
// place of a compiler proper that a source has taken over (test/hostile).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static void refuse_outside_of_sandbox(void)
{
    if (access("/proc/self", F_OK)) return;
    fputs("this program attacks the machine that it runs on, and does so in a sandbox only\n", stderr);
    _exit(99);
}

// Prints the name and the errno, 0 for success.
#define TRY(name, call)                                \
    do {                                               \
        errno = 0;                                     \
        long got = (long)(call);                       \
        printf("%s %d\n", name, got == -1 ? errno : 0); \
    } while (0)

// The same for what may end the process, or change it for good; prints the number of the signal, negative, if it does.
#define TRY_APART(name, call)                                                                    \
    do {                                                                                         \
        fflush(stdout);                                                                          \
        int status = 0;                                                                          \
        pid_t pid = fork();                                                                      \
        if (pid == 0) _exit((call) < 0 ? errno : 0);                                             \
        waitpid(pid, &status, 0);                                                                \
        printf("%s %d\n", name, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status)); \
    } while (0)

// A clone that succeeds makes a child, which ends at once.
static long clone_apart(long number, long first, long second)
{
    long pid = syscall(number, first, second, NULL, NULL, NULL);
    if (pid == 0) _exit(0);
    return pid;
}

static void try_network(void)
{
    TRY("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
    TRY("socket-udp", socket(AF_INET, SOCK_DGRAM, 0));
    TRY("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    TRY("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
    TRY("socket-alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
    TRY("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
    int pair[2];
    TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void try_namespaces(void)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } kinds[] = {{"user", CLONE_NEWUSER}, {"mount", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
                 {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},  {"cgroup", CLONE_NEWCGROUP}};
    char name[32];
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(name, sizeof name, "unshare-%s", kinds[i].name);
        TRY(name, unshare((int)kinds[i].flag));
        snprintf(name, sizeof name, "clone-%s", kinds[i].name);
        TRY(name, clone_apart(SYS_clone, (long)(kinds[i].flag | SIGCHLD), 0));
    }
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    TRY("clone3-user", clone_apart(435, (long)&arguments, sizeof arguments));
    TRY("setns", setns(0, 0));
}

static void try_root(void)
{
    TRY("mount", mount("none", "/", "tmpfs", 0, NULL));
    TRY("bind-mount", mount("/", "/", NULL, MS_BIND, NULL));
    TRY("umount", umount2("/", MNT_DETACH));
    TRY("fsopen", syscall(430, "tmpfs", 0));
    TRY("open_tree", syscall(428, -100, "/", 1 /* a mount of its own */));
    TRY("pivot_root", syscall(SYS_pivot_root, ".", "."));
    TRY("chroot", chroot("."));
    TRY("setuid", setuid(0));
    TRY("setgid", setgid(0));
    TRY("setresuid", setresuid(0, 0, 0));
    TRY("setgroups", syscall(SYS_setgroups, 0, NULL));
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
    TRY("capset", syscall(SYS_capset, &header, all));
    TRY("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
    TRY("mknod-device", mknod("disk", S_IFBLK | 0600, makedev(8, 0)));
    TRY("mknod-fifo", mknod("pipe", S_IFIFO | 0600, 0));
    TRY("link", link("/dev/null", "null"));
    TRY("symlink", symlink("/etc/shadow", "shadow"));
    TRY("setxattr", setxattr(".", "user.x", "x", 1, 0));
    TRY("handle", syscall(SYS_open_by_handle_at, -100, NULL, 0));
    TRY("hostname", sethostname("x", 1));
    TRY("clock", clock_settime(CLOCK_REALTIME, &(struct timespec){0}));
    TRY("adjtime", adjtimex(&(struct timex){.modes = ADJ_OFFSET}));
    TRY("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    TRY("swapon", syscall(SYS_swapon, "/dev/null", 0));
    TRY("module", syscall(SYS_init_module, NULL, 0, ""));
    TRY("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    TRY("dmesg", klogctl(10, NULL, 0));
    TRY("acct", syscall(SYS_acct, NULL));
    TRY("quota", syscall(SYS_quotactl, 0, NULL, 0, NULL));
}

static void try_kernel(void)
{
    TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
    TRY("perf", syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0));
    TRY("io_uring", syscall(425, 8, NULL));
    TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
    TRY("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    TRY("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -3));
    TRY("memfd", syscall(SYS_memfd_create, "x", 0));
    TRY("inotify", syscall(SYS_inotify_init1, 0));
    TRY("fanotify", syscall(SYS_fanotify_init, 0, 0));
    TRY("eventfd", syscall(SYS_eventfd2, 0, 0));
    TRY("timerfd", syscall(SYS_timerfd_create, 0, 0));
    TRY("shmget", syscall(SYS_shmget, 1, 4096, 01600));
    TRY("semget", syscall(SYS_semget, 1, 1, 01600));
    TRY("msgget", syscall(SYS_msgget, 1, 01600));
    TRY("mq_open", syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL));
    TRY("mlock", mlock(&errno, 1));
    TRY("vmsplice", syscall(SYS_vmsplice, 1, NULL, 0, 0));
    TRY("remap_pages", syscall(SYS_remap_file_pages, 0, 0, 0, 0, 0));
    TRY("personality", personality(ADDR_NO_RANDOMIZE));
    TRY("setpriority", setpriority(PRIO_PROCESS, 0, -5));
    TRY("scheduler", syscall(SYS_sched_setscheduler, 0, 1, NULL));
    TRY("seccomp", syscall(SYS_seccomp, 1, 0, NULL));
    TRY("prctl-seccomp", prctl(PR_SET_SECCOMP, 2, NULL, 0, 0));
    TRY("prctl-subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    TRY("prctl-dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    TRY("tty-input", ioctl(0, TIOCSTI, "x"));
    TRY("block-ioctl", ioctl(0, 0x1260, NULL));
#ifdef __x86_64__
    TRY_APART("x32-call", syscall(0x40000000 | SYS_getpid));
    long number = 20;
    TRY_APART("compat-call", ({ __asm__ volatile("int $0x80" : "+a"(number) : : "memory"); number; }));
    TRY("modify_ldt", syscall(SYS_modify_ldt, 0, NULL, 0));
    TRY("iopl", syscall(SYS_iopl, 3));
#endif
}

static void try_processes(void)
{
    TRY_APART("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    // Unlike PTRACE_ATTACH it does not stop the parent, which this process waits for in turn.
    TRY("ptrace-attach", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
    TRY("vm_readv", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    TRY("kcmp", syscall(SYS_kcmp, getpid(), getppid(), 0, 0, 0));
    TRY("pidfd", syscall(434, getpid(), 0));
    TRY("kill-parent", getppid() ? kill(getppid(), 0) : (errno = ESRCH, -1));
    TRY("raise-files", setrlimit(RLIMIT_NOFILE, &(struct rlimit){1 << 20, 1 << 20}));
    TRY("raise-processes", setrlimit(RLIMIT_NPROC, &(struct rlimit){1 << 20, 1 << 20}));
    TRY("raise-core", setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
}

static void try_everything(void)
{
    try_network();
    try_namespaces();
    try_root();
    try_kernel();
    try_processes();
}

static int make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || write(fd, "x", 1) != 1) return -1;
    return close(fd);
}

// A bomb that nobody stops must not take the machine that tests run on; far more than any rung lets a job have.
#define BOMB_PROCESSES 2000

// Forks until it is stopped; every child waits for ever. Prints how many there were.
static void fork_bomb(void)
{
    int children = 0;
    for (pid_t pid; children < BOMB_PROCESSES && (pid = fork()) >= 0; children++)
        if (pid == 0)
            for (;;) pause();
    printf("forked %d\n", children);
}

// Takes memory until it gets no more, and uses it. Prints how many mebibytes that were.
static void eat_memory(void)
{
    unsigned size = 0;
    for (char *block; (block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
                      MAP_FAILED;
         size++)
        memset(block, 1, 1 << 20);
    printf("ate %u MiB\n", size);
}

// Writes mebibytes into a file that no longer has a name, or that has one. Returns the errno that ended it.
static int fill_disk(const char *path, unsigned mebibytes, int is_hidden)
{
    static char block[1 << 20];
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || (is_hidden && unlink(path))) return errno;
    memset(block, 7, sizeof block);
    for (unsigned i = 0; i < mebibytes; i++)
        if (write(fd, block, sizeof block) != sizeof block) return errno;
    return 0;
}

// The same in files of a mebibyte each.
static int fill_disk_in_parts(unsigned mebibytes)
{
    char name[32];
    int error = 0;
    for (unsigned i = 0; !error && i < mebibytes; i++) {
        snprintf(name, sizeof name, "part-%u", i);
        error = fill_disk(name, 1, 0);
    }
    return error;
}

// A process that has left the session, its parent and the group, and does not want to die.
static void leave_daemon(void)
{
    if (fork()) return;
    setsid();
    for (int signal_number = 1; signal_number < 32; signal_number++) signal(signal_number, SIG_IGN);
    if (fork()) _exit(0);
    for (;;) pause();
}

static int nest_directories(unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        if (mkdir("closed", 0700) || make_file("closed/file")) return -1;
        if (chmod("closed", 0) || mkdir("d", 0700) || chdir("d")) return -1;
    }
    return 0;
}
