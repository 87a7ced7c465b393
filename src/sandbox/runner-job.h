// One job of the runner: its state, the start of its process, and the draining of what it prints.
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>

#define MAX_JOBS 256u

// STATE_CLEANING: its number is free again, its slot not yet.
enum state { STATE_FREE, STATE_RUNNING, STATE_HELD, STATE_CLEANING };

struct job {
    enum state state;
    uint32_t id, fault;
    pid_t pid;
    int pidfd;
    int streams[2];        // read ends of stdout and stderr, or -1
    struct buffer text[2]; // what came out of them
    int64_t deadline_ms;   // on the monotonic clock, or -1
    uint32_t wall_limit_ms, view_count;
    uint64_t max_diagnostic_bytes, max_output_bytes;
    bool leaves_much; // removing what it wrote may take as long as the disk needs to write it
    struct outputs outputs;
    char detail[256];
};

// What a child leaves in shared memory: it has no other way once it is confined.
struct report {
    int error;
    char attempt[64]; // what failed before it could become the command
    struct supervision supervision;
};

static struct job jobs[MAX_JOBS];
static struct report *reports;
static struct slot_tree slot_trees[MAX_JOBS];

// True where a supervisor stands between the runner and the job.
static bool is_supervised(void)
{
    return rung == RUNG_CHROOT || rung == RUNG_UID;
}

static unsigned slot_of(const struct job *job)
{
    return (unsigned)(job - jobs);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void close_stream(struct job *job, int stream)
{
    if (job->streams[stream] >= 0) close(job->streams[stream]);
    job->streams[stream] = -1;
}

// Kills every process of the job. In the cell its process is PID 1 of a namespace, and the others die with it; a
// supervisor kills all that belongs to the job's user; in the plain mode the process group is what can be reached.
static void kill_job(const struct job *job)
{
    kill(job->pid, is_supervised() ? SIGTERM : SIGKILL);
    if (rung == RUNG_PLAIN) kill(-job->pid, SIGKILL);
}

// Ends a job for a reason of the runner's own; what it printed is worth nothing any more.
__attribute__((format(printf, 3, 4))) static void fail_job(struct job *job, uint32_t fault, const char *format, ...)
{
    if (job->fault) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(job->detail, sizeof job->detail, format, arguments);
    va_end(arguments);
    job->fault = fault;
    for (int stream = 0; stream < 2; stream++) {
        close_stream(job, stream);
        discard(&job->text[stream]);
    }
    if (job->state == STATE_RUNNING) kill_job(job);
}

// Takes what a stream holds now, at most one piece if `once`. Closes it at its end.
static void drain(struct job *job, int stream, bool once)
{
    static char piece[64 << 10];
    while (job->streams[stream] >= 0) {
        ssize_t count = read(job->streams[stream], piece, sizeof piece);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) { // a pseudo-terminal ends with EIO
            close_stream(job, stream);
            return;
        }
        put_bytes(&job->text[stream], piece, (size_t)count);
        if (job->text[0].length + job->text[1].length > job->max_diagnostic_bytes)
            fail_job(job, FAULT_DIAGNOSTICS_TOO_LARGE, "it printed more than %llu bytes",
                     (unsigned long long)job->max_diagnostic_bytes);
        if (once) return;
    }
}

// A pseudo-terminal of the given size that changes no byte. master is the end that the runner reads.
static int open_terminal(const struct request *request, int *master, int *slave)
{
    int unlocked = 0;
    struct winsize size = {.ws_col = (unsigned short)request->columns, .ws_row = (unsigned short)request->rows};
    struct termios modes;
    *slave = -1;
    *master = open(rung == RUNG_NAMESPACES ? "/pts/ptmx" : "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (*master < 0 || ioctl(*master, TIOCSPTLCK, &unlocked)) return -1;
    *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || tcgetattr(*slave, &modes)) return -1;
    modes.c_oflag &= ~(tcflag_t)OPOST;
    return tcsetattr(*slave, TCSANOW, &modes) || ioctl(*slave, TIOCSWINSZ, &size) ? -1 : 0;
}

static int open_pipe(int *read_end, int *write_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

// On disk nothing but this keeps one file within the scratch before the runner looks.
static bool limit_file_to_scratch(void)
{
    return !is_supervised() || limit(RLIMIT_FSIZE, scratch_bytes, scratch_bytes);
}

// In the child: becomes the command, in its own root already. Returns only on failure, with the attempt that failed
// (errno is set). writers: what it gets as stdout and stderr. id: whom it is to belong to, or 0.
static const char *become_command(const struct request *request, const int writers[2], unsigned id)
{
    const char *failed;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGPIPE, SIG_DFL);
    int input = request->tty & TTY_STDIN ? writers[1] : open("/dev/null", O_RDWR | O_CLOEXEC);
    // Every other descriptor of the runner closes on exec.
    if (input < 0 || dup2(input, 0) < 0 || dup2(writers[0], 1) < 0 || dup2(writers[1], 2) < 0)
        return "opening stdin, stdout and stderr";
    if (!set_limits(request) || (rung != RUNG_PLAIN && !set_confined_limits(request)) || !limit_file_to_scratch())
        return "setting resource limits";
    umask((mode_t)request->umask & 0777);
    if (rung != RUNG_PLAIN && (failed = put_up_walls(id))) return failed;
    if (chdir(request->cwd)) return "entering the working directory";
    execve(request->executable, request->argv, request->environment);
    return "executing the compiler";
}

// Writes down what failed, with errno, and ends the process.
__attribute__((noreturn)) static void report_failure(struct report *report, const char *attempt)
{
    report->error = errno;
    strncpy(report->attempt, attempt, sizeof report->attempt - 1);
    _exit(127);
}

// Runs in a supervisor: prepares the root, starts the job in it, and stays until nothing of it is left.
__attribute__((noreturn)) static void supervise_command(const struct request *request, unsigned slot,
                                                        const int writers[2])
{
    struct report *report = &reports[slot];
    char path[PATH_MAX];
    unsigned id = job_user(getpid());
    sigset_t signals, earlier;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &earlier);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    slot_directory(slot, path);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) report_failure(report, "becoming the reaper of its processes");
    const char *failed = prepare_root(path, &slot_trees[slot], request);
    if (failed) report_failure(report, failed);
    pid_t job = fork();
    if (job < 0) report_failure(report, "starting its process");
    if (job == 0) {
        sigprocmask(SIG_SETMASK, &earlier, NULL);
        failed = enter_root(path);
        report_failure(report, failed ? failed : become_command(request, writers, id));
    }
    supervise(job, id, &report->supervision);
    _exit(0);
}

// Starts the process of a job whose streams are open. False with errno if there is none.
static bool start_process(struct job *job, unsigned slot, const struct request *request, const int writers[2])
{
    struct report *report = &reports[slot];
    *report = (struct report){0};
    if (is_supervised()) {
        qsort(request->view, request->view_count, sizeof *request->view, by_path);
        note_writable(&slot_trees[slot], request);
    }
    job->pid = clone_process(rung == RUNG_NAMESPACES ? CLONE_NEWNS | CLONE_NEWPID : 0, &job->pidfd);
    if (job->pid > 0 && is_supervised()) note_request(&slot_trees[slot], request);
    if (job->pid != 0) return job->pid > 0;
    if (is_supervised()) supervise_command(request, slot, writers);
    const char *failed = rung == RUNG_NAMESPACES ? enter_view(slot) : NULL;
    report_failure(report, failed ? failed : become_command(request, writers, host_owner));
}

// Opens what a job needs and starts it. False with errno and the failed attempt in the job's detail.
static bool start_job(struct job *job, unsigned slot, const struct request *request)
{
    int writers[2] = {-1, -1};
    const char *attempt = NULL;
    if (rung == RUNG_NAMESPACES && make_overlay_directories(slot)) attempt = "making its directories";
    else if (open_pipe(&job->streams[0], &writers[0])) attempt = "making a pipe";
    else if (request->tty & TTY_STDERR ? open_terminal(request, &job->streams[1], &writers[1])
                                       : open_pipe(&job->streams[1], &writers[1]))
        attempt = "opening its stderr";
    else if (!start_process(job, slot, request, writers)) attempt = "starting its process";
    int error = errno;
    for (int i = 0; i < 2; i++)
        if (writers[i] >= 0) close(writers[i]);
    if (!attempt) return true;
    fail_job(job, FAULT_SETUP_FAILED, "%s: %s", attempt, strerror(error));
    return false;
}

// The directory that a path of an output is below.
static const char *output_directory(unsigned slot)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, is_supervised() ? "%s/%u" : "%s/%u/upper", scratch_directory, slot);
    return path;
}

static int open_output_directory(unsigned slot)
{
    return open(output_directory(slot), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Lists what a job has left: its layer, or what is its own where it could write. False if it is too much.
static bool list_outputs(struct job *job)
{
    unsigned slot = slot_of(job);
    struct search search = {.by_owner = is_supervised(), .owner = job_user(job->pid)};
    search.max_visited = MAX_VISITED + job->view_count;
    search.max_output_bytes = job->max_output_bytes;
    int top = open_output_directory(slot);
    if (!is_supervised()) return collect_outputs(&job->outputs, &search, top, "");
    const struct slot_tree *tree = &slot_trees[slot];
    bool complete = top >= 0;
    for (uint32_t i = 0; complete && i < tree->writable_count; i++) {
        const char *name = tree->writable[i];
        if (!strcmp(name, JOB_TEMPORARY)) continue;
        complete = collect_outputs(&job->outputs, &search, open_in_root(top, name), name[1] ? name : "");
    }
    if (top >= 0) close(top);
    return complete;
}
