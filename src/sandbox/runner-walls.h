// The walls that a job stands behind on every rung, and how a process puts them up around itself.
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define JOB_TEMPORARY "/.meshcc-tmp"

// From the strongest to none: docs/security.md says what each promises.
enum rung { RUNG_NAMESPACES, RUNG_CHROOT, RUNG_UID, RUNG_PLAIN };

static enum rung rung = RUNG_PLAIN;
// Whom confined processes belong to if the runner is root, else 0. `namespaces`: this user. `chroot` and `uid`: each
// job has one of its own, this one plus the number of its first process, which no other living job can have.
static unsigned owner;
// The same in a cell without a user namespace, where each job has to become this user by itself; else 0.
static unsigned host_owner;
// Where each job has a directory of its own, named by its slot.
static const char *scratch_directory = "/jobs";
// What the jobs of a cell may write together where that is a tmpfs, each of them where it is on disk.
static uint64_t scratch_bytes;
static unsigned landlock;

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

// Fork with namespaces and a pidfd in one call. The raw call is safe here: one thread, no handlers.
static pid_t clone_process(unsigned long flags, int *pidfd)
{
    return (pid_t)syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t count = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return count == (ssize_t)strlen(text) ? 0 : -1;
}

// What a job can never get back, taken from the runner already, which starts nothing but jobs.
static void forbid_new_privileges(void)
{
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) continue;
    if (errno != EINVAL) refuse(STEP_PRIVILEGES, "emptying the capability bounding set");
    // Fails with EINVAL where the kernel has no ambient set, and then there is nothing to clear.
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        refuse(STEP_PRIVILEGES, "setting no_new_privs");
}

// Makes the calling process another user's, with no groups but that user's own.
static const char *become(unsigned id)
{
    return setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id) ? "becoming an unprivileged user" : NULL;
}

static const char *drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return syscall(SYS_capset, &header, none) ? "dropping the capabilities" : NULL;
}

// The last steps before a job becomes its command, in its own root already. id: whom it is to belong to, 0 for
// nobody else. Returns the failed attempt, or NULL.
static const char *put_up_walls(unsigned id)
{
    const char *failed = id ? become(id) : NULL;
    if (failed) return failed;
    // Another user's process has lost the death signal.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if ((failed = drop_capabilities()) || (failed = restrict_to_root(landlock))) return failed;
    return rung == RUNG_UID ? NULL : filter_job();
}

// Called by a runner when all that it needs a larger list of calls for is done.
static void filter_rung(void)
{
    const char *failed = rung == RUNG_UID ? NULL : filter_runner();
    if (failed) refuse(STEP_FILTER, failed);
}

// Puts up the walls once in a child, so that a kernel that lacks one is found at the start and not at the first job.
static void rehearse_walls(unsigned id)
{
    int status, report[2];
    char failed[64] = "";
    if (pipe2(report, O_CLOEXEC)) refuse(STEP_FILTER, "making a pipe");
    pid_t pid = fork();
    if (pid < 0) refuse(STEP_FILTER, "starting a process");
    if (pid == 0) {
        const char *attempt = put_up_walls(id);
        if (!attempt) _exit(0);
        int error = errno;
        if (write(report[1], attempt, strlen(attempt)) < 0) _exit(1);
        _exit(error);
    }
    close(report[1]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (read(report[0], failed, sizeof failed - 1) < 0) failed[0] = 0;
    close(report[0]);
    if (status == 0) return;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
    refuse(STEP_FILTER, failed[0] ? failed : "putting up the walls of a job");
}

#define PROCESS_COUNT_ATTEMPTS 5

// Whether RLIMIT_NPROC counts the cell alone, as it does from Linux 5.14 on for a user namespace: a limit
// just above what the cell has must let one more process start.
static bool counts_cell_alone(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit few = {4, 4};
        pid_t child = setrlimit(RLIMIT_NPROC, &few) ? -1 : fork();
        if (child == 0) _exit(0);
        _exit(child < 0 || waitpid(child, NULL, 0) != child);
    }
    if (pid > 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return pid > 0 && status == 0;
}

// Asks more than once: on a machine that has no process to spare for a moment, a cell would stay without a limit.
static void find_process_count(void)
{
    counts_own_processes = false;
    for (unsigned attempt = 0; !counts_own_processes && attempt < PROCESS_COUNT_ATTEMPTS; attempt++) {
        if (attempt) usleep(20000);
        counts_own_processes = counts_cell_alone();
    }
}

// Joins the control group whose `cgroup.procs` files these are, and everything that this process starts with it.
static void join_groups(char **members)
{
    for (; *members; members++)
        if (write_file(*members, "0")) refuse(STEP_GROUP, *members);
}

// Compilers of others are the first to go when this machine runs out of memory.
static void volunteer_for_oom(void)
{
    write_file("/proc/self/oom_score_adj", "500");
}
