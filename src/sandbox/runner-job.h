// One job of the runner: its state, the start of its process, and the draining of what it prints.
#include <sys/mman.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>

#define MAX_JOBS 256u
// A compile opens its inputs one after another; this also bounds what a hostile one can hold.
#define JOB_OPEN_FILES 1024

#define TTY_STDERR 1u
#define TTY_STDIN 2u

enum state { STATE_FREE, STATE_RUNNING, STATE_HELD };

struct job {
    enum state state;
    uint32_t id, fault;
    pid_t pid;
    int pidfd;
    int streams[2];        // read ends of stdout and stderr, or -1
    struct buffer text[2]; // what came out of them
    int64_t deadline_ms;   // on the monotonic clock, or -1
    uint32_t wall_limit_ms;
    uint64_t max_diagnostic_bytes, max_output_bytes;
    struct outputs outputs;
    char detail[256];
};

// A RUN request. The strings point into the request.
struct request {
    uint32_t id, umask, tty, columns, rows, wall_limit_ms, cpu_limit_s;
    uint64_t max_file_bytes, max_diagnostic_bytes, max_output_bytes;
    char *executable, *cwd, **argv, **environment;
};

// What a child reports when it could not become the command. Shared memory: the child has no other way left.
struct child_failure {
    int error;
    char attempt[64];
};

static struct job jobs[MAX_JOBS];
static struct child_failure *child_failures;
static bool confined;

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

// Kills every process of the job. In the cell its process is PID 1 of a namespace, and the others die with it;
// in the plain mode its process group is what can be reached.
static void kill_job(struct job *job)
{
    kill(job->pid, SIGKILL);
    if (!confined) kill(-job->pid, SIGKILL);
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
    *master = open(confined ? "/pts/ptmx" : "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
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

// Sets a limit, or the highest one that is allowed here.
static bool limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now)) return false;
    if (now.rlim_max == RLIM_INFINITY || hard < now.rlim_max) now.rlim_max = (rlim_t)hard;
    now.rlim_cur = soft < now.rlim_max ? (rlim_t)soft : now.rlim_max;
    return !setrlimit(resource, &now);
}

static bool set_limits(const struct request *request)
{
    // One second between the soft limit (SIGXCPU, which the driver reports) and the hard one.
    return (!request->cpu_limit_s || limit(RLIMIT_CPU, request->cpu_limit_s, request->cpu_limit_s + 1ull)) &&
           (!request->max_file_bytes || limit(RLIMIT_FSIZE, request->max_file_bytes, request->max_file_bytes)) &&
           limit(RLIMIT_NOFILE, JOB_OPEN_FILES, JOB_OPEN_FILES) && limit(RLIMIT_CORE, 0, 0);
}

// In the child: becomes the command. Returns only on failure, with the attempt that failed (errno is set).
// writers: what it gets as stdout and stderr.
static const char *become_command(const struct request *request, unsigned slot, const int writers[2])
{
    const char *failed;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGPIPE, SIG_DFL);
    if (confined && (failed = enter_view(slot))) return failed;
    int input = request->tty & TTY_STDIN ? writers[1] : open("/dev/null", O_RDWR | O_CLOEXEC);
    // Every other descriptor of the runner closes on exec.
    if (input < 0 || dup2(input, 0) < 0 || dup2(writers[0], 1) < 0 || dup2(writers[1], 2) < 0)
        return "opening stdin, stdout and stderr";
    if (!set_limits(request)) return "setting resource limits";
    umask((mode_t)request->umask & 0777);
    if (confined && (failed = drop_capabilities())) return failed;
    if (chdir(request->cwd)) return "entering the working directory";
    execve(request->executable, request->argv, request->environment);
    return "executing the compiler";
}

// Starts the process of a job whose streams are open. False with errno if there is none.
static bool start_process(struct job *job, unsigned slot, const struct request *request, const int writers[2])
{
    struct child_failure *failure = &child_failures[slot];
    *failure = (struct child_failure){0};
    job->pid = clone_process(confined ? CLONE_NEWNS | CLONE_NEWPID : 0, &job->pidfd);
    if (job->pid == 0) {
        const char *attempt = become_command(request, slot, writers);
        failure->error = errno;
        strncpy(failure->attempt, attempt, sizeof failure->attempt - 1);
        _exit(127);
    }
    return job->pid > 0;
}

// Opens what a job needs and starts it. False with errno and the failed attempt in the job's detail.
static bool start_job(struct job *job, unsigned slot, const struct request *request)
{
    int writers[2] = {-1, -1};
    const char *attempt = NULL;
    if (confined && make_job_directories(slot)) attempt = "making its directories";
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
