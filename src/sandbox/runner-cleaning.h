// What jobs leave on the worker's disk or in the cell's scratch: how much it is, and how a slot gets rid of it.

// An unlink waits for the pages of the file that are just being written, on a slow disk for seconds. So what may be
// dirty in such numbers is removed by another process, and the runner goes on.
#define MUCH_BYTES (4u << 20)
// So many slots at once may hold the rest of a job that is over; then no further job is started.
#define MAX_CLEANINGS 4u

// Bytes of a supervised job's own, looking at no more than so many entries; what is left of these tells whether all
// was seen.
static uint64_t bytes_of_job(const struct job *job, unsigned *entries)
{
    const struct slot_tree *tree = &slot_trees[slot_of(job)];
    int top = open_output_directory(slot_of(job));
    uint64_t total = 0;
    for (uint32_t i = 0; top >= 0 && i < tree->writable_count; i++) {
        int directory = open_in_root(top, tree->writable[i]);
        if (directory >= 0) total += bytes_of_user(directory, job_user(job->pid), 0, entries);
    }
    if (top >= 0) close(top);
    return total;
}

// Looks at what a supervised job has written, and ends it if that is more than it may be.
static void weigh(struct job *job)
{
    unsigned entries = MAX_VISITED + job->view_count;
    uint64_t bytes = bytes_of_job(job, &entries);
    job->leaves_much = !entries || bytes > MUCH_BYTES;
    if (bytes > scratch_bytes)
        fail_job(job, FAULT_SCRATCH_FULL, "it wrote more than %llu bytes", (unsigned long long)scratch_bytes);
    else if (!entries)
        fail_job(job, FAULT_TOO_MANY_OUTPUTS, "it left more files than a compile does");
}

// Makes room for the next job of a slot.
static void clear_slot(unsigned slot)
{
    char path[PATH_MAX];
    if (is_supervised()) {
        clean_slot(slot, &slot_trees[slot]);
        return;
    }
    slot_directory(slot, path);
    remove_tree(path);
}

static unsigned count_cleanings(void)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < MAX_JOBS; slot++) count += jobs[slot].state == STATE_CLEANING;
    return count;
}

// Starts a process that makes room in the slot of a job. False if there is none.
static bool start_cleaning(struct job *job)
{
    unsigned slot = slot_of(job);
    job->pid = clone_process(0, &job->pidfd);
    if (job->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        clear_slot(slot);
        _exit(!slot_trees[slot].exists);
    }
    if (job->pid < 0) return false;
    forget_writable(&slot_trees[slot]);
    job->state = STATE_CLEANING;
    return true;
}

// The process that makes room in a slot has ended.
static void finish_cleaning(struct job *job)
{
    int status;
    if (waitpid(job->pid, &status, WNOHANG) != job->pid) return;
    close(job->pidfd);
    if (status) slot_trees[slot_of(job)].exists = false; // the next job's supervisor begins with an empty directory
    job->state = STATE_FREE;
}
