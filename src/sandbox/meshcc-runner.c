// The job runner: one small process that starts compilers for the agent, so that the agent never forks.
//
//   meshcc-runner confined <rung> <tree> <jobs> <scratch bytes> <owner> [<cgroup.procs> ...]
//                                   jobs see nothing but what lies in <tree>, and write into scratch of their own;
//                                   rungs: namespaces-user, namespaces-host, chroot, uid
//   meshcc-runner plain             jobs see the host
//   meshcc-runner check <rung>      run as a job: tells what a confined job must not be able to
//   meshcc-runner remove <dir>      removes what a job nested too deeply for others to remove
//
// One thread, one poll loop, no blocking on any job. docs/runner-protocol.md describes what it speaks on stdin and stdout.
#define _GNU_SOURCE
#include "runner-frames.h"
#include "runner-request.h"
#include "runner-landlock.h"
#include "runner-filter.h"
#include "runner-walls.h"
#include "runner-outputs.h"
#include "runner-view.h"
#include "runner-job-tree.h"
#include "runner-supervisor.h"
#include "runner-job.h"
#include "runner-cleaning.h"
#include "runner-check.h"

// How often the scratch of jobs is measured where it is not a filesystem of its own.
#define SCRATCH_CHECK_MS 250

static unsigned char input[HEADER_BYTES + MAX_REQUEST_BYTES];
static size_t input_length;

static void free_job(struct job *job)
{
    for (int stream = 0; stream < 2; stream++) {
        close_stream(job, stream);
        discard(&job->text[stream]);
    }
    free_outputs(&job->outputs);
    job->state = STATE_FREE;
    if (rung != RUNG_PLAIN && !(job->leaves_much && start_cleaning(job))) clear_slot(slot_of(job));
}

static struct job *find_job(uint32_t id)
{
    for (unsigned slot = 0; slot < MAX_JOBS; slot++)
        if ((jobs[slot].state == STATE_RUNNING || jobs[slot].state == STATE_HELD) && jobs[slot].id == id)
            return &jobs[slot];
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

static void run(struct cursor *cursor)
{
    struct request request = take_request(cursor);
    if (find_job(request.id)) die("malformed request: job %u exists", request.id);

    unsigned slot = 0;
    while (slot < MAX_JOBS && jobs[slot].state != STATE_FREE) slot++;
    if (slot == MAX_JOBS) {
        send_fault(request.id, FAULT_TOO_MANY_JOBS, "the runner holds as many jobs as it can");
    } else if (count_cleanings() >= MAX_CLEANINGS) {
        send_fault(request.id, FAULT_TOO_MANY_JOBS, "what earlier jobs left is still being removed");
    } else {
        struct job *job = &jobs[slot];
        *job = (struct job){.id = request.id, .pidfd = -1, .streams = {-1, -1}, .deadline_ms = -1};
        job->wall_limit_ms = request.wall_limit_ms;
        job->max_diagnostic_bytes = request.max_diagnostic_bytes;
        job->max_output_bytes = request.max_output_bytes;
        job->view_count = request.view_count;
        if (request.wall_limit_ms) job->deadline_ms = now_ms() + request.wall_limit_ms;
        if (start_job(job, slot, &request)) {
            job->state = STATE_RUNNING;
        } else {
            send_fault(job->id, job->fault, job->detail);
            free_job(job);
        }
    }
    free_request(&request);
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
    read_output(&job->outputs, output_directory(slot_of(job)), index, offset, length);
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

// Ends every job and the runner. A supervised job is waited for, because the kernel does not end it with the runner.
__attribute__((noreturn)) static void leave(void)
{
    for (unsigned slot = 0; slot < MAX_JOBS; slot++)
        if (jobs[slot].state == STATE_RUNNING) kill_job(&jobs[slot]);
    for (unsigned slot = 0; slot < MAX_JOBS && is_supervised(); slot++) {
        if (jobs[slot].state == STATE_CLEANING) continue; // ends with this process; whoever has the directory goes on
        if (jobs[slot].state == STATE_RUNNING)
            while (waitpid(jobs[slot].pid, NULL, 0) < 0 && errno == EINTR) continue;
        if (jobs[slot].state != STATE_FREE) clear_slot(slot);
    }
    _exit(0);
}

// Reads what has come from the agent.
static void receive(void)
{
    ssize_t count = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) leave(); // the agent is gone or wants no more
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

// How the job itself ended, if a supervisor stood before it. A supervisor that was killed has left its work undone.
static void take_supervision(struct job *job, int *status, struct rusage *usage)
{
    const struct report *report = &reports[slot_of(job)];
    if (!report->supervision.ended) {
        kill_user(job_user(job->pid));
        if (!report->attempt[0]) fail_job(job, FAULT_KILLED, "its supervisor was killed");
    }
    *status = report->supervision.status;
    *usage = report->supervision.usage;
}

// The process of a job has ended: takes the rest of what it printed, lists its outputs, tells the agent.
static void finish(struct job *job)
{
    struct rusage usage;
    int status;
    if (wait4(job->pid, &status, WNOHANG, &usage) != job->pid) return;
    close(job->pidfd);
    if (rung == RUNG_PLAIN) kill(-job->pid, SIGKILL); // the group outlives its leader; in the cell nothing does
    job->state = STATE_HELD;
    if (is_supervised()) take_supervision(job, &status, &usage);
    for (int stream = 0; stream < 2; stream++) {
        drain(job, stream, false);
        close_stream(job, stream);
    }
    const struct report *report = &reports[slot_of(job)];
    if (is_supervised()) weigh(job);
    if (report->attempt[0]) {
        fail_job(job, FAULT_SETUP_FAILED, "%s: %s", report->attempt, strerror(report->error));
        slot_trees[slot_of(job)].exists = false; // who knows how far it came
    }
    if (rung != RUNG_PLAIN && !job->fault && !list_outputs(job))
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

// Ends jobs that have written more than a cell's scratch may hold. A tmpfs needs no such watch.
static void enforce_scratch_limit(void)
{
    for (unsigned slot = 0; slot < MAX_JOBS; slot++)
        if (jobs[slot].state == STATE_RUNNING && !jobs[slot].fault) weigh(&jobs[slot]);
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

// Milliseconds until some limit has to be looked at again, -1 for none.
static int enforce_limits(bool any_running)
{
    static int64_t next_check_ms;
    int wait_ms = enforce_wall_limits();
    if (!is_supervised() || !any_running) return wait_ms;
    if (now_ms() >= next_check_ms) {
        enforce_scratch_limit();
        next_check_ms = now_ms() + SCRATCH_CHECK_MS;
    }
    return wait_ms < 0 || wait_ms > SCRATCH_CHECK_MS ? SCRATCH_CHECK_MS : wait_ms;
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
        if (job->state != STATE_RUNNING && job->state != STATE_CLEANING) continue;
        struct pollfd *event = &events[2 + 3 * count];
        event[0] = (struct pollfd){.fd = congested ? -1 : job->pidfd, .events = POLLIN};
        event[1] = (struct pollfd){.fd = job->streams[0], .events = POLLIN};
        event[2] = (struct pollfd){.fd = job->streams[1], .events = POLLIN};
        running[count++] = job;
    }
    if (poll(events, 2 + 3 * count, enforce_limits(count > 0)) < 0 && errno != EINTR) die("poll: %s", strerror(errno));
    for (unsigned i = 0; i < count; i++) {
        const struct pollfd *event = &events[2 + 3 * i];
        if (event[1].fd >= 0 && event[1].revents) drain(running[i], 0, true);
        if (event[2].fd >= 0 && event[2].revents) drain(running[i], 1, true);
        if (event[0].fd < 0 || !event[0].revents) continue;
        if (running[i]->state == STATE_CLEANING) finish_cleaning(running[i]);
        else finish(running[i]);
    }
    if (events[0].fd >= 0 && events[0].revents) receive();
}

static void start_confined(int argc, char **argv)
{
    static const char *const names[] = {"namespaces-user", "namespaces-host", "chroot", "uid"};
    static const enum rung rungs[] = {RUNG_NAMESPACES, RUNG_NAMESPACES, RUNG_CHROOT, RUNG_UID};
    unsigned named = 0;
    while (argc >= 7 && named < 4 && strcmp(argv[2], names[named])) named++;
    if (argc < 7 || named == 4) die("started with arguments that it does not know");
    rung = rungs[named];
    scratch_bytes = strtoull(argv[5], NULL, 10);
    owner = (unsigned)strtoul(argv[6], NULL, 10);
    landlock = landlock_version();
    join_groups(argv + 7);
    volunteer_for_oom();
    if (rung == RUNG_NAMESPACES) start_cell(argv[3], scratch_bytes, named == 0);
    else start_linking(argv[3], argv[4]);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "check")) return check_confinement(argv[2]);
    umask(0);
    if (argc == 3 && !strcmp(argv[1], "remove")) {
        remove_tree(argv[2]);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && !strcmp(argv[1], "confined")) start_confined(argc, argv);
    else if (argc != 2 || strcmp(argv[1], "plain")) die("started with arguments that it does not know");
    reports = mmap(NULL, MAX_JOBS * sizeof *reports, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED) die("no shared memory: %s", strerror(errno));
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    size_t start = begin_frame(REPLY_READY);
    put_u32(&send_queue, PROTOCOL_VERSION);
    put_u32(&send_queue, landlock);
    finish_frame(start);
    for (;;) {
        flush_queue();
        bool left = handle_requests();
        flush_queue();
        // A request that is here already gives poll nothing to wake for.
        if (!left || send_queue.length > SEND_QUEUE_BYTES) turn();
    }
}
