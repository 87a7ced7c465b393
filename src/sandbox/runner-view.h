// The view of confined jobs: namespaces of the cell, its private root, and what each job sees of it.
//
// The cell's root is one size-limited tmpfs, which is the scratch at the same time:
//   /tree       the submitter's tree (bind mount, lower layer)
//   /base       second lower layer: the mount points dev/null and .meshcc-tmp
//   /jobs/<n>   upper, work and tmp of one job
//   /root       where each job, in a mount namespace of its own, mounts its overlay
//   /null /pts  the null device; pseudo-terminals of this cell alone
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define JOB_TEMPORARY "/.meshcc-tmp"
// An inode of a tmpfs costs the kernel about 1 KiB, which its size limit does not count: 64 MiB at the most.
#define SCRATCH_INODES 65536
// The uid that the compiler of a root agent believes to have. Any but 0, which exec treats in its own way.
#define UNPRIVILEGED_ID 65534u

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

// Maps the one uid and gid that the cell has. Done from outside: a map written by a privileged parent is
// accepted where the cell itself would be refused.
static int write_id_maps(pid_t pid)
{
    char path[64], map[64];
    unsigned uid = geteuid(), gid = getegid();
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
    if (write_file(path, "deny") && errno != ENOENT) return -1;
    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    snprintf(map, sizeof map, "%u %u 1", uid ? uid : UNPRIVILEGED_ID, uid);
    if (write_file(path, map)) return -1;
    snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
    snprintf(map, sizeof map, "%u %u 1", gid ? gid : UNPRIVILEGED_ID, gid);
    return write_file(path, map);
}

// Makes the calling process's current directory its root and lets go of everything else.
static int pivot_here(void)
{
    // Both names "." stack the old root over the new one, from where it is detached (pivot_root(2), NOTES).
    if (syscall(SYS_pivot_root, ".", ".")) return -1;
    if (umount2(".", MNT_DETACH)) return -1;
    return chdir("/");
}

// Mounts the overlay of one job on /root. Without a user namespace userxattr is harmless.
static int mount_overlay(unsigned slot)
{
    char options[256];
    snprintf(options, sizeof options,
             "lowerdir=/base:/tree,upperdir=/jobs/%u/upper,workdir=/jobs/%u/work,index=off,userxattr", slot, slot);
    if (!mount("overlay", "/root", "overlay", MS_NOSUID | MS_NODEV, options)) return 0;
    // Kernels before 5.11 do not know userxattr, and need real root for an overlay.
    if (errno != EINVAL) return -1;
    *strstr(options, ",userxattr") = 0;
    return mount("overlay", "/root", "overlay", MS_NOSUID | MS_NODEV, options);
}

static int make_job_directories(unsigned slot)
{
    static const char *const names[] = {"", "/upper", "/work", "/tmp"};
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "/jobs/%u%s", slot, names[i]);
        if (mkdir(path, 0755)) return -1;
    }
    return 0;
}

static void mount_cell_root(unsigned long long scratch_bytes)
{
    char options[96];
    snprintf(options, sizeof options, "size=%llu,nr_inodes=%d,mode=0755", scratch_bytes, SCRATCH_INODES);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) refuse(STEP_MOUNTS, "making the mounts private");
    if (mount("meshcc", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options))
        refuse(STEP_MOUNTS, "mounting the scratch tmpfs on /tmp");
    if (mkdir("/tmp/tree", 0755) || mkdir("/tmp/jobs", 0755) || mkdir("/tmp/root", 0755) ||
        mkdir("/tmp/pts", 0755) || mkdir("/tmp/base", 0755) || mkdir("/tmp/base/dev", 0755) ||
        mkdir("/tmp/base" JOB_TEMPORARY, 0755) || mknod("/tmp/null", S_IFREG | 0666, 0) ||
        mknod("/tmp/base/dev/null", S_IFREG | 0666, 0))
        refuse(STEP_MOUNTS, "making the directories of the scratch");
    // The current directory is the tree, and stays reachable where /tmp now hides it.
    if (mount(".", "/tmp/tree", NULL, MS_BIND | MS_REC, NULL)) refuse(STEP_TREE, "bind-mounting the tree");
    if (mount("/dev/null", "/tmp/null", NULL, MS_BIND, NULL)) refuse(STEP_MOUNTS, "bind-mounting /dev/null");
    if (mount("devpts", "/tmp/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600"))
        refuse(STEP_MOUNTS, "mounting a private devpts");
    if (chdir("/tmp") || pivot_here()) refuse(STEP_MOUNTS, "changing the root to the scratch");
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

// Mounts an overlay once, so that a kernel that cannot do it is found at the start and not at the first job.
static void rehearse_overlay(void)
{
    if (make_job_directories(0)) refuse(STEP_MOUNTS, "making a job's directories");
    if (mount_overlay(0)) refuse(STEP_OVERLAY, "mounting an overlay");
    if (umount2("/root", MNT_DETACH)) refuse(STEP_OVERLAY, "unmounting an overlay");
}

// Runs in PID 1 of the cell, in its new namespaces. lifeline: the parent writes one byte when the ids are mapped.
static void enter_cell(int lifeline, bool user_namespace, unsigned long long scratch_bytes)
{
    char byte;
    if (read(lifeline, &byte, 1) != 1) _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    struct pollfd parent = {.fd = lifeline};
    if (poll(&parent, 1, 0) != 0) _exit(1); // it died before the death signal was armed
    close(lifeline);
    if (sethostname("meshcc", 6)) refuse(STEP_NAMESPACES, "setting the host name of the cell");
    // This limit belongs to the cell's own user namespace: no job can make another one below it.
    if (user_namespace && write_file("/proc/sys/user/max_user_namespaces", "0"))
        fprintf(stderr, "meshcc-runner: jobs can make user namespaces: %s\n", strerror(errno));
    mount_cell_root(scratch_bytes);
    forbid_new_privileges();
    rehearse_overlay();
}

// Starts PID 1 of the cell and returns in it. The calling process only stays to hand on its exit status:
// when it is killed, PID 1 gets the death signal and the kernel kills whatever else is in the PID namespace.
static void start_cell(const char *tree, unsigned long long scratch_bytes, bool user_namespace)
{
    int lifeline[2], pidfd, status = 0;
    if (chdir(tree)) refuse(STEP_TREE, "entering the tree");
    if (pipe2(lifeline, O_CLOEXEC)) refuse(STEP_NAMESPACES, "making a pipe");
    unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    pid_t pid = clone_process(flags | (user_namespace ? CLONE_NEWUSER : 0), &pidfd);
    if (pid < 0) refuse(STEP_NAMESPACES, "making the namespaces");
    if (pid == 0) {
        close(lifeline[1]);
        enter_cell(lifeline[0], user_namespace, scratch_bytes);
        return;
    }
    close(lifeline[0]);
    if (user_namespace && write_id_maps(pid)) refuse(STEP_ID_MAP, "mapping the user id");
    if (write(lifeline[1], "m", 1) != 1) die("the cell died at once");
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// Turns the calling process, PID 1 of a job, to the job's own view. Returns the failed attempt, or NULL.
static const char *enter_view(unsigned slot)
{
    char temporary[64];
    snprintf(temporary, sizeof temporary, "/jobs/%u/tmp", slot);
    if (mount_overlay(slot)) return "mounting the overlay";
    if (mount(temporary, "/root" JOB_TEMPORARY, NULL, MS_BIND, NULL)) return "mounting the temporary directory";
    if (mount("/null", "/root/dev/null", NULL, MS_BIND, NULL)) return "mounting /dev/null";
    if (chdir("/root") || pivot_here()) return "changing the root";
    return NULL;
}

// Gives up every capability. A seccomp filter or a Landlock ruleset has its place right after this.
static const char *drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return syscall(SYS_capset, &header, none) ? "dropping the capabilities" : NULL;
}
