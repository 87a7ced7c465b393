// The rung `namespaces`: the cell, its private root, and what each job sees of it.
//
// The cell's root is one size-limited tmpfs, which is the scratch at the same time:
//   /tree       the submitter's tree (bind mount, lower layer)
//   /base       second lower layer: the mount points dev/null and .meshcc-tmp
//   /jobs/<n>   upper, work and tmp of one job
//   /root       where each job, in a mount namespace of its own, mounts its overlay
//   /null /pts  the null device; pseudo-terminals of this cell alone
#include <sys/mount.h>

// An inode of a tmpfs costs the kernel about 1 KiB, which its size limit does not count: 64 MiB at the most.
#define SCRATCH_INODES 65536
// The uid that the compiler of a root agent believes to have. Any but 0, which exec treats in its own way.
#define UNPRIVILEGED_ID 65534u

// The id inside of a user namespace for an id outside.
static unsigned inner_id(unsigned outer)
{
    return outer && !owner ? outer : UNPRIVILEGED_ID;
}

// Maps the one uid and gid that the cell has. Done from outside: a map written by a privileged parent is
// accepted where the cell itself would be refused.
static int write_id_maps(pid_t pid)
{
    char path[64], map[64];
    unsigned uid = owner ? owner : geteuid(), gid = owner ? owner : getegid();
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
    // Root can do without, and then the cell can let go of root's groups.
    if (!owner && write_file(path, "deny") && errno != ENOENT) return -1;
    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    snprintf(map, sizeof map, "%u %u 1", inner_id(uid), uid);
    if (write_file(path, map)) return -1;
    snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
    snprintf(map, sizeof map, "%u %u 1", inner_id(gid), gid);
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

static int make_overlay_directories(unsigned slot)
{
    static const char *const names[] = {"", "/work", "/upper", "/tmp"};
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "/jobs/%u%s", slot, names[i]);
        if (mkdir(path, 0755) || (i > 1 && host_owner && chown(path, host_owner, host_owner))) return -1;
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

// Mounts an overlay once, so that a kernel that cannot do it is found at the start and not at the first job.
static void rehearse_overlay(void)
{
    if (make_overlay_directories(0)) refuse(STEP_MOUNTS, "making a job's directories");
    if (mount_overlay(0)) refuse(STEP_OVERLAY, "mounting an overlay");
    if (umount2("/root", MNT_DETACH)) refuse(STEP_OVERLAY, "unmounting an overlay");
}

// Runs in PID 1 of the cell, in its new namespaces. lifeline: the parent writes one byte when the ids are mapped.
static void enter_cell(int lifeline, bool user_namespace, unsigned long long scratch_bytes)
{
    char byte;
    if (read(lifeline, &byte, 1) != 1) _exit(1);
    // In the namespace itself this costs no capability: the one id of it is not that of its root.
    const char *failed = user_namespace && owner ? become(UNPRIVILEGED_ID) : NULL;
    if (failed) refuse(STEP_OWNER, failed);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    struct pollfd parent = {.fd = lifeline};
    if (poll(&parent, 1, 0) != 0) _exit(1); // it died before the death signal was armed
    close(lifeline);
    if (sethostname("meshcc", 6)) refuse(STEP_NAMESPACES, "setting the host name of the cell");
    // This limit belongs to the cell's own user namespace: no job can make another one below it.
    if (user_namespace && write_file("/proc/sys/user/max_user_namespaces", "0"))
        fprintf(stderr, "meshcc-runner: only the system-call filter keeps jobs from making user namespaces: %s\n",
                strerror(errno));
    mount_cell_root(scratch_bytes);
    forbid_new_privileges();
    filter_rung();
    rehearse_overlay();
    rehearse_walls(host_owner);
    find_process_count();
    remove_tree("/jobs/0");
}

// Starts PID 1 of the cell and returns in it. The calling process only stays to hand on its exit status:
// when it is killed, PID 1 gets the death signal and the kernel kills whatever else is in the PID namespace.
static void start_cell(const char *tree, unsigned long long scratch_bytes, bool user_namespace)
{
    int lifeline[2], pidfd, status = 0;
    if (!user_namespace) host_owner = owner;
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
