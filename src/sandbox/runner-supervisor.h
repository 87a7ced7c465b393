// The process between the runner and a job on the rungs `chroot` and `uid`: it knows the job's processes by their
// user alone, and leaves none of them.

// What a supervisor leaves in shared memory.
struct supervision {
    bool ended; // the job has run, and none of its processes is left
    int status;
    struct rusage usage;
};

// The tree, by descriptor.
static int tree_directory = -1;

static const char *enter_root(const char *root)
{
    return chdir(root) || chroot(".") ? "changing the root" : NULL;
}

// The user of the job whose supervisor this is.
static unsigned job_user(pid_t supervisor)
{
    return owner + (unsigned)supervisor;
}

// Kills every process of a user. The kernel does that in one pass during which nobody forks; but the killer is of
// that user itself, and could be killed before it strikes.
static void kill_user(unsigned id)
{
    for (;;) {
        int status = -1;
        pid_t killer = fork();
        if (killer == 0) {
            if (become(id)) _exit(1);
            kill(-1, SIGKILL);
            _exit(0);
        }
        if (killer > 0)
            while (waitpid(killer, &status, 0) < 0 && errno == EINTR) continue;
        if (status == 0) return;
        usleep(1000);
    }
}

// Waits for the end of the job, or for the runner's word that it is over, and leaves no process of it behind.
// SIGTERM and SIGCHLD are blocked. Orphans of the job become children of this process.
static void supervise(pid_t job, unsigned id, struct supervision *supervision)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    bool over = false, has_ended = false;
    while (!over) {
        over = sigwaitinfo(&signals, NULL) == SIGTERM;
        int status;
        struct rusage usage;
        for (pid_t ended; (ended = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
            if (ended != job) continue;
            supervision->status = status;
            supervision->usage = usage;
            over = has_ended = true;
        }
    }
    // Whoever ends it right at its start may find it before it is its own user's.
    if (!has_ended) kill(job, SIGKILL);
    kill_user(id);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
    supervision->ended = true;
}

// Brings the root of a slot to what a request lists, and lets the job write where it is to. Returns the failed
// attempt, or NULL; the current directory is the root then.
static const char *prepare_root(const char *path, const struct slot_tree *tree, const struct request *request)
{
    if (!tree->exists) {
        remove_tree(path);
        const char *failed = make_slot_root(path);
        if (failed) return failed;
    }
    int root = chdir(path) ? -1 : open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return "opening the root of a job";
    uint32_t present = tree->exists ? tree->count : 0;
    if (!change_view(tree_directory, root, tree->view, present, request->view, request->view_count))
        return "linking what it lists";
    if (!set_writable(root, tree, true)) return "making the directories of its outputs writable";
    close(root);
    return NULL;
}

// Sets the runner up on these rungs. `jobs`: a directory on the filesystem of the tree.
static void start_linking(const char *tree, const char *jobs)
{
    static struct slot_tree nothing;
    static const struct request no_request;
    char root[PATH_MAX];
    if (geteuid() || !owner) {
        errno = EPERM;
        refuse(STEP_CHROOT, "changing the root without being root");
    }
    tree_directory = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (tree_directory < 0) refuse(STEP_TREE, "entering the tree");
    scratch_directory = jobs;
    if (mkdir(jobs, 0700) && errno != EEXIST) refuse(STEP_CHROOT, "making the directory of the jobs");
    forbid_new_privileges();
    filter_rung();
    slot_directory(0, root);
    const char *failed = prepare_root(root, &nothing, &no_request);
    if (failed) refuse(STEP_CHROOT, failed);
    // A filesystem mounted without devices has the node, and does not let it be opened.
    int null = open("dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) refuse(STEP_CHROOT, "opening /dev/null of a job");
    close(null);
    pid_t pid = fork();
    if (pid == 0) _exit(enter_root(root) ? errno : 0);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) refuse(STEP_CHROOT, "starting a process");
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
    if (status) refuse(STEP_CHROOT, "changing the root");
    rehearse_walls(job_user(getpid()));
    if (chdir("/")) refuse(STEP_CHROOT, "leaving the root of a job");
    remove_tree(root);
}
