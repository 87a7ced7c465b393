// A RUN request, and the limits that it puts on the processes of its job.
#include <sys/resource.h>

// False where a limit on processes would count those that the agent's user has outside of the cell too.
static bool counts_own_processes = true;

// A compile opens its inputs one after another; this also bounds what a hostile one can hold.
#define JOB_OPEN_FILES 1024
// GCC raises its own stack to this for deep recursion (toplev, stack_limit_increase).
#define JOB_STACK_BYTES (64u << 20)

#define TTY_STDERR 1u
#define TTY_STDIN 2u

// The strings point into the request. Where a job does not see the whole tree: `view`, what it sees, each a version,
// a space and a path; `writable`, the directories in which it may make files.
struct request {
    uint32_t id, umask, tty, columns, rows, wall_limit_ms, cpu_limit_s, max_processes;
    uint64_t max_memory_bytes, max_file_bytes, max_diagnostic_bytes, max_output_bytes;
    char *executable, *cwd, **argv, **environment, **view, **writable;
    uint32_t view_count, writable_count;
};

static char **take_strings(struct cursor *cursor, uint32_t count)
{
    if (count > MAX_REQUEST_BYTES) die("malformed request: %u strings", count);
    char **strings = allocate((count + 1) * sizeof *strings);
    for (uint32_t i = 0; i < count; i++) strings[i] = take_string(cursor);
    strings[count] = NULL;
    return strings;
}

static struct request take_request(struct cursor *cursor)
{
    struct request request = {.id = take_u32(cursor), .umask = take_u32(cursor)};
    request.tty = take_u32(cursor);
    request.columns = take_u32(cursor);
    request.rows = take_u32(cursor);
    request.wall_limit_ms = take_u32(cursor);
    request.cpu_limit_s = take_u32(cursor);
    request.max_processes = take_u32(cursor);
    request.max_memory_bytes = take_u64(cursor);
    request.max_file_bytes = take_u64(cursor);
    request.max_diagnostic_bytes = take_u64(cursor);
    request.max_output_bytes = take_u64(cursor);
    uint32_t argc = take_u32(cursor), environment_count = take_u32(cursor);
    request.view_count = take_u32(cursor);
    request.writable_count = take_u32(cursor);
    request.executable = take_string(cursor);
    request.cwd = take_string(cursor);
    request.argv = take_strings(cursor, argc);
    request.environment = take_strings(cursor, environment_count);
    request.view = take_strings(cursor, request.view_count);
    request.writable = take_strings(cursor, request.writable_count);
    return request;
}

static void free_request(struct request *request)
{
    free(request->argv);
    free(request->environment);
    free(request->view);
    free(request->writable);
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

// A limit of which 0 says that there is none.
static bool limit_if_given(int resource, uint64_t value)
{
    return !value || limit(resource, value, value);
}

// The limits that a request names for every kind of job, and two that every job has.
static bool set_limits(const struct request *request)
{
    // One second between the soft limit (SIGXCPU, which the driver reports) and the hard one.
    return (!request->cpu_limit_s || limit(RLIMIT_CPU, request->cpu_limit_s, request->cpu_limit_s + 1ull)) &&
           limit_if_given(RLIMIT_FSIZE, request->max_file_bytes) &&
           limit_if_given(RLIMIT_AS, request->max_memory_bytes) &&
           limit(RLIMIT_NOFILE, JOB_OPEN_FILES, JOB_OPEN_FILES) &&
           // Not 0: with a program as core_pattern the kernel starts that all the same, and with 1 it does not
           // (fs/coredump.c). It would read what a hostile job has prepared, as root and outside of every sandbox.
           limit(RLIMIT_CORE, 1, 1);
}

// Limits of confined jobs alone, which have no use for more.
static bool set_confined_limits(const struct request *request)
{
    struct rlimit stack;
    if (counts_own_processes && !limit_if_given(RLIMIT_NPROC, request->max_processes)) return false;
    return !getrlimit(RLIMIT_STACK, &stack) && limit(RLIMIT_STACK, stack.rlim_cur, JOB_STACK_BYTES) &&
           limit(RLIMIT_MEMLOCK, 0, 0) && limit(RLIMIT_MSGQUEUE, 0, 0);
}
