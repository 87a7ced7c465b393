// Frames of the job runner: little-endian numbers, growing byte buffers, and the queue towards the agent.
// The format is described in docs/runner-protocol.md; the codes repeat the tables in wire.ts, which a test compares.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL_VERSION 2u
#define HEADER_BYTES 8u
#define MAX_REQUEST_BYTES (1u << 20)
#define MAX_READ_BYTES (256u << 10)
// Above this much unsent data no request is read and no job is collected, so that a slow agent holds the data back.
#define SEND_QUEUE_BYTES (1u << 20)

#define REQUEST_RUN 1u
#define REQUEST_KILL 2u
#define REQUEST_READ 3u
#define REQUEST_RELEASE 4u
#define REPLY_READY 64u
#define REPLY_REFUSED 65u
#define REPLY_EXITED 66u
#define REPLY_FAULT 67u
#define REPLY_DATA 68u

#define FAULT_WALL_LIMIT 1u
#define FAULT_DIAGNOSTICS_TOO_LARGE 2u
#define FAULT_SETUP_FAILED 3u
#define FAULT_KILLED 4u
#define FAULT_TOO_MANY_OUTPUTS 5u
#define FAULT_TOO_MANY_JOBS 6u
#define FAULT_SCRATCH_FULL 7u

#define STEP_TREE 1u
#define STEP_NAMESPACES 2u
#define STEP_ID_MAP 3u
#define STEP_MOUNTS 4u
#define STEP_OVERLAY 5u
#define STEP_PRIVILEGES 6u
#define STEP_GROUP 7u
#define STEP_OWNER 8u
#define STEP_CHROOT 9u
#define STEP_FILTER 10u

#define IRREGULAR_SYMLINK 1u
#define IRREGULAR_FIFO 2u
#define IRREGULAR_SOCKET 3u
#define IRREGULAR_DEVICE 4u
#define IRREGULAR_WHITEOUT 5u
#define IRREGULAR_HARD_LINKED 6u
#define IRREGULAR_TOO_LARGE 7u

struct buffer {
    unsigned char *bytes;
    size_t length, capacity;
};

// What is still to be written to the agent.
static struct buffer send_queue;

// Ends the runner with a message; the agent starts a new one. Everything that runs dies with this process.
__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("meshcc-runner: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(2);
}

static void *allocate(size_t size_bytes)
{
    void *memory = malloc(size_bytes ? size_bytes : 1);
    if (!memory) die("out of memory, asked for %zu bytes", size_bytes);
    return memory;
}

// Makes room for size_bytes more and returns where they go; the length already counts them.
static unsigned char *extend(struct buffer *buffer, size_t size_bytes)
{
    size_t needed = buffer->length + size_bytes;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 1024;
        while (capacity < needed) capacity *= 2;
        buffer->bytes = realloc(buffer->bytes, capacity);
        if (!buffer->bytes) die("out of memory, asked for %zu bytes", capacity);
        buffer->capacity = capacity;
    }
    buffer->length = needed;
    return buffer->bytes + needed - size_bytes;
}

static void discard(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

static void put_bytes(struct buffer *buffer, const void *bytes, size_t size_bytes)
{
    if (size_bytes) memcpy(extend(buffer, size_bytes), bytes, size_bytes);
}

static void store_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

static void put_u32(struct buffer *buffer, uint32_t value)
{
    store_u32(extend(buffer, 4), value);
}

static void put_u64(struct buffer *buffer, uint64_t value)
{
    put_u32(buffer, (uint32_t)value);
    put_u32(buffer, (uint32_t)(value >> 32));
}

static void put_string(struct buffer *buffer, const char *text)
{
    put_bytes(buffer, text, strlen(text) + 1);
}

// Starts a frame in the send queue; finish_frame(its result) writes the length once the body is there.
static size_t begin_frame(uint32_t type)
{
    size_t start = send_queue.length;
    put_u32(&send_queue, 0);
    put_u32(&send_queue, type);
    return start;
}

static void finish_frame(size_t start)
{
    store_u32(send_queue.bytes + start, (uint32_t)(send_queue.length - start - HEADER_BYTES));
}

// Writes what the agent takes without blocking.
static void flush_queue(void)
{
    size_t sent = 0;
    while (sent < send_queue.length) {
        ssize_t count = write(STDOUT_FILENO, send_queue.bytes + sent, send_queue.length - sent);
        if (count > 0) sent += (size_t)count;
        else if (count < 0 && errno == EINTR) continue;
        else if (count < 0 && errno == EAGAIN) break;
        else die("cannot write to the agent: %s", strerror(errno));
    }
    if (!sent) return;
    memmove(send_queue.bytes, send_queue.bytes + sent, send_queue.length - sent);
    send_queue.length -= sent;
    // One long diagnostic must not keep its memory for the life of the runner.
    if (!send_queue.length && send_queue.capacity > 2 * SEND_QUEUE_BYTES) discard(&send_queue);
}

// Tells the agent which step of the setup failed with which errno, and ends the runner.
__attribute__((noreturn)) static void refuse(uint32_t step, const char *attempt)
{
    int error = errno;
    size_t start = begin_frame(REPLY_REFUSED);
    put_u32(&send_queue, step);
    put_u32(&send_queue, (uint32_t)error);
    put_bytes(&send_queue, attempt, strlen(attempt));
    put_bytes(&send_queue, ": ", 2);
    put_string(&send_queue, strerror(error));
    finish_frame(start);
    flush_queue();
    _exit(1);
}

// The rest of a request's body. Reading beyond its end ends the runner.
struct cursor {
    const unsigned char *at, *end;
};

static const unsigned char *take(struct cursor *cursor, size_t size_bytes)
{
    if ((size_t)(cursor->end - cursor->at) < size_bytes) die("malformed request: it ends too early");
    cursor->at += size_bytes;
    return cursor->at - size_bytes;
}

static uint32_t take_u32(struct cursor *cursor)
{
    const unsigned char *at = take(cursor, 4);
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t take_u64(struct cursor *cursor)
{
    uint64_t low = take_u32(cursor);
    return low | (uint64_t)take_u32(cursor) << 32;
}

// A NUL-terminated string; it stays in the request's memory.
static char *take_string(struct cursor *cursor)
{
    const unsigned char *text = cursor->at;
    const unsigned char *nul = memchr(text, 0, (size_t)(cursor->end - text));
    if (!nul) die("malformed request: a string without its end");
    cursor->at = nul + 1;
    return (char *)text;
}
