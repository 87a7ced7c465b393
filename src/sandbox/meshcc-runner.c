// The job runner: one small process that starts compilers for the agent, so that the agent never forks.
//
//   meshcc-runner confined <tree> <scratch bytes> user|host   jobs see nothing but <tree>, read-only below an overlay;
//                                                             user: in a user namespace, host: as real root without one
//   meshcc-runner plain                                       jobs see the host
//   meshcc-runner check                                       run as a job: tells what a confined job must not be able to
//
// One thread, one poll loop, no blocking on any job. docs/runner-protocol.md describes what it speaks on stdin and stdout.
#define _GNU_SOURCE
#include "runner-frames.h"
#include "runner-view.h"
#include "runner-outputs.h"
#include "runner-job.h"
#include "runner-check.h"

static unsigned char input[HEADER_BYTES + MAX_REQUEST_BYTES];
static size_t input_length;

static void free_job(struct job *job)
{
    for (int stream = 0; stream < 2; stream++) {
        close_stream(job, stream);
        discard(&job->text[stream]);
    }
    free_outputs(&job->outputs);
    if (confined) remove_scratch((unsigned)(job - jobs));
    job->state = STATE_FREE;
}

static struct job *find_job(uint32_t id)
{
    for (unsigned slot = 0; slot < MAX_JOBS; slot++)
        if (jobs[slot].state != STATE_FREE && jobs[slot].id == id) return &jobs[slot];
    return NULL;
}

static void send_fault(uint32_t id, uint32_t fault, const char *detail)
{
    size_t start = begin_frame(REPLY_FAULT);
    put_u32(&send_queue, id);
    put_u32(&send_queue, fault);
    put_string(&send_queue, detail);
    finish_frame(start);
}

static char **take_strings(struct cursor *cursor, uint32_t count)
{
    if (count > MAX_REQUEST_BYTES) die("malformed request: %u strings", count);
    char **strings = allocate((count + 1) * sizeof *strings);
    for (uint32_t i = 0; i < count; i++) strings[i] = take_string(cursor);
    strings[count] = NULL;
    return strings;
}

static void run(struct cursor *cursor)
{
    struct request request = {.id = take_u32(cursor), .umask = take_u32(cursor)};
    request.tty = take_u32(cursor);
    request.columns = take_u32(cursor);
    request.rows = take_u32(cursor);
    request.wall_limit_ms = take_u32(cursor);
    request.cpu_limit_s = take_u32(cursor);
    request.max_file_bytes = take_u64(cursor);
    request.max_diagnostic_bytes = take_u64(cursor);
    request.max_output_bytes = take_u64(cursor);
    uint32_t argc = take_u32(cursor), environment_count = take_u32(cursor);
    request.executable = take_string(cursor);
    request.cwd = take_string(cursor);
    request.argv = take_strings(cursor, argc);
    request.environment = take_strings(cursor, environment_count);
    if (find_job(request.id)) die("malformed request: job %u exists", request.id);

    unsigned slot = 0;
    while (slot < MAX_JOBS && jobs[slot].state != STATE_FREE) slot++;
    if (slot == MAX_JOBS) {
        send_fault(request.id, FAULT_TOO_MANY_JOBS, "the runner holds as many jobs as it can");
    } else {
        struct job *job = &jobs[slot];
        *job = (struct job){.id = request.id, .pidfd = -1, .streams = {-1, -1}, .deadline_ms = -1};
        job->wall_limit_ms = request.wall_limit_ms;
        job->max_diagnostic_bytes = request.max_diagnostic_bytes;
        job->max_output_bytes = request.max_output_bytes;
        if (request.wall_limit_ms) job->deadline_ms = now_ms() + request.wall_limit_ms;
        if (start_job(job, slot, &request)) {
            job->state = STATE_RUNNING;
        } else {
            send_fault(job->id, job->fault, job->detail);
            free_job(job);
        }
    }
    free(request.argv);
    free(request.environment);
}

static void read_request(struct cursor *cursor)
{
    struct job *job = find_job(take_u32(cursor));
    uint32_t index = take_u32(cursor);
    uint64_t offset = take_u64(cursor);
    uint32_t length = take_u32(cursor);
    if (!job || job->state != STATE_HELD || index >= job->outputs.count || length > MAX_READ_BYTES || offset > INT64_MAX)
        die("malformed request: READ of what is not there");
    size_t start = begin_frame(REPLY_DATA);
    read_output(&job->outputs, (unsigned)(job - jobs), index, offset, length);
    finish_frame(start);
}

static void kill_request(struct cursor *cursor)
{
    // A job that has just ended crosses this request; its result is on the way.
    struct job *job = find_job(take_u32(cursor));
    if (job && job->state == STATE_RUNNING) fail_job(job, FAULT_KILLED, "the agent asked for it");
}

static void release_request(struct cursor *cursor)
{
    struct job *job = find_job(take_u32(cursor));
    if (!job || job->state != STATE_HELD) die("malformed request: RELEASE of a job that is not held");
    free_job(job);
}

static void handle(uint32_t type, struct cursor cursor)
{
    switch (type) {
    case REQUEST_RUN: run(&cursor); break;
    case REQUEST_KILL: kill_request(&cursor); break;
    case REQUEST_READ: read_request(&cursor); break;
    case REQUEST_RELEASE: release_request(&cursor); break;
    default: die("malformed request: type %u", type);
    }
    if (cursor.at != cursor.end) die("malformed request: %td bytes too long", cursor.end - cursor.at);
}

// Reads what has come from the agent.
static void receive(void)
{
    ssize_t count = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) { // the agent is gone or wants no more
        for (unsigned slot = 0; slot < MAX_JOBS; slot++)
            if (jobs[slot].state == STATE_RUNNING) kill_job(&jobs[slot]);
        _exit(0);
    }
    input_length += (size_t)count;
}

// Handles the requests that are there, until the send queue is full. True if a whole one is left for later.
static bool handle_requests(void)
{
    size_t done = 0;
    bool left = false;
    while (input_length - done >= HEADER_BYTES) {
        struct cursor header = {input + done, input + done + HEADER_BYTES};
        uint32_t length = take_u32(&header), type = take_u32(&header);
        if (length > MAX_REQUEST_BYTES) die("malformed request: %u bytes", length);
        if (input_length - done - HEADER_BYTES < length) break;
        left = send_queue.length > SEND_QUEUE_BYTES;
        if (left) break;
        handle(type, (struct cursor){header.at, header.at + length});
        done += HEADER_BYTES + length;
    }
    memmove(input, input + done, input_length - done);
    input_length -= done;
    return left;
}

static void send_exited(const struct job *job, int status, const struct rusage *usage)
{
    size_t start = begin_frame(REPLY_EXITED);
    put_u32(&send_queue, job->id);
    put_u32(&send_queue, WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 0);
    put_u32(&send_queue, WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0);
    put_u64(&send_queue, (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
                             (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec));
    put_u64(&send_queue, (uint64_t)usage->ru_maxrss);
    put_u32(&send_queue, (uint32_t)job->text[0].length);
    put_u32(&send_queue, (uint32_t)job->text[1].length);
    put_u32(&send_queue, job->outputs.count);
    put_u32(&send_queue, job->outputs.irregular_count);
    put_bytes(&send_queue, job->text[0].bytes, job->text[0].length);
    put_bytes(&send_queue, job->text[1].bytes, job->text[1].length);
    put_bytes(&send_queue, job->outputs.regular.bytes, job->outputs.regular.length);
    put_bytes(&send_queue, job->outputs.irregular.bytes, job->outputs.irregular.length);
    finish_frame(start);
}

// The process of a job has ended: takes the rest of what it printed, lists its outputs, tells the agent.
static void finish(struct job *job)
{
    unsigned slot = (unsigned)(job - jobs);
    struct rusage usage;
    int status;
    if (wait4(job->pid, &status, WNOHANG, &usage) != job->pid) return;
    close(job->pidfd);
    if (!confined) kill(-job->pid, SIGKILL); // the group outlives its leader; in the cell nothing does
    job->state = STATE_HELD;
    for (int stream = 0; stream < 2; stream++) {
        drain(job, stream, false);
        close_stream(job, stream);
    }
    const struct child_failure *failure = &child_failures[slot];
    if (failure->attempt[0]) fail_job(job, FAULT_SETUP_FAILED, "%s: %s", failure->attempt, strerror(failure->error));
    if (confined && !job->fault && !collect_outputs(&job->outputs, slot, job->max_output_bytes))
        fail_job(job, FAULT_TOO_MANY_OUTPUTS, "it left more files or deeper directories than a compile does");
    if (job->fault) {
        send_fault(job->id, job->fault, job->detail);
        free_job(job);
        return;
    }
    send_exited(job, status, &usage);
    for (int stream = 0; stream < 2; stream++) discard(&job->text[stream]);
    discard(&job->outputs.regular);
    discard(&job->outputs.irregular);
}

// Milliseconds until the next wall limit, -1 for none. Kills the jobs that are over theirs.
static int enforce_wall_limits(void)
{
    int64_t now = now_ms(), next = -1;
    for (unsigned slot = 0; slot < MAX_JOBS; slot++) {
        struct job *job = &jobs[slot];
        if (job->state != STATE_RUNNING || job->deadline_ms < 0 || job->fault) continue;
        if (job->deadline_ms <= now)
            fail_job(job, FAULT_WALL_LIMIT, "it ran longer than %u ms", job->wall_limit_ms);
        else if (next < 0 || job->deadline_ms - now < next)
            next = job->deadline_ms - now;
    }
    return next > INT_MAX ? INT_MAX : (int)next;
}

// Waits for anything to do and does it. While the send queue is full, nothing that would fill it more.
static void turn(void)
{
    struct pollfd events[2 + 3 * MAX_JOBS];
    struct job *running[MAX_JOBS];
    unsigned count = 0;
    bool congested = send_queue.length > SEND_QUEUE_BYTES;
    events[0] = (struct pollfd){.fd = congested ? -1 : STDIN_FILENO, .events = POLLIN};
    events[1] = (struct pollfd){.fd = send_queue.length ? STDOUT_FILENO : -1, .events = POLLOUT};
    for (unsigned slot = 0; slot < MAX_JOBS; slot++) {
        struct job *job = &jobs[slot];
        if (job->state != STATE_RUNNING) continue;
        struct pollfd *event = &events[2 + 3 * count];
        event[0] = (struct pollfd){.fd = congested ? -1 : job->pidfd, .events = POLLIN};
        event[1] = (struct pollfd){.fd = job->streams[0], .events = POLLIN};
        event[2] = (struct pollfd){.fd = job->streams[1], .events = POLLIN};
        running[count++] = job;
    }
    if (poll(events, 2 + 3 * count, enforce_wall_limits()) < 0 && errno != EINTR) die("poll: %s", strerror(errno));
    for (unsigned i = 0; i < count; i++) {
        const struct pollfd *event = &events[2 + 3 * i];
        if (event[1].fd >= 0 && event[1].revents) drain(running[i], 0, true);
        if (event[2].fd >= 0 && event[2].revents) drain(running[i], 1, true);
        if (event[0].fd >= 0 && event[0].revents) finish(running[i]);
    }
    if (events[0].fd >= 0 && events[0].revents) receive();
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "check")) return check_confinement();
    bool user_namespace = argc == 5 && !strcmp(argv[4], "user");
    confined = argc == 5 && !strcmp(argv[1], "confined");
    if (!confined && (argc != 2 || strcmp(argv[1], "plain"))) die("started with arguments that it does not know");
    signal(SIGPIPE, SIG_IGN);
    umask(0);
    if (confined) {
        start_cell(argv[2], strtoull(argv[3], NULL, 10), user_namespace);
        remove_scratch(0);
    }
    size_t failures_size = MAX_JOBS * sizeof *child_failures;
    child_failures = mmap(NULL, failures_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (child_failures == MAP_FAILED) die("no shared memory: %s", strerror(errno));
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    size_t start = begin_frame(REPLY_READY);
    put_u32(&send_queue, PROTOCOL_VERSION);
    finish_frame(start);
    for (;;) {
        flush_queue();
        bool left = handle_requests();
        flush_queue();
        // A request that is here already gives poll nothing to wake for.
        if (!left || send_queue.length > SEND_QUEUE_BYTES) turn();
    }
}
