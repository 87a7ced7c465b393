// What a finished job left, and how that is removed again. The job's processes are dead when these run, so nothing
// changes underneath.
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// A compile writes about five files in a few directories. These bound the work that one job can cause here.
#define MAX_OUTPUTS 256u
#define MAX_VISITED 4096u
#define MAX_DEPTH 128u

// Outputs of one job: their paths are kept for READ, the rest goes straight into the reply.
struct outputs {
    char *paths[MAX_OUTPUTS];
    uint32_t count, irregular_count, visited;
    struct buffer regular, irregular;
};

// What to look for.
struct search {
    // Set where inputs lie in the same directories: what belongs to this user is the job's own.
    bool by_owner;
    uid_t owner;
    uint32_t max_visited;
    uint64_t max_output_bytes;
};

static uint32_t irregular_type(const struct stat *status, uint64_t max_output_bytes)
{
    switch (status->st_mode & S_IFMT) {
    case S_IFLNK: return IRREGULAR_SYMLINK;
    case S_IFIFO: return IRREGULAR_FIFO;
    case S_IFSOCK: return IRREGULAR_SOCKET;
    // Overlayfs notes the removal of a lower file as a character device 0,0.
    case S_IFCHR: return status->st_rdev == makedev(0, 0) ? IRREGULAR_WHITEOUT : IRREGULAR_DEVICE;
    case S_IFREG: break;
    default: return IRREGULAR_DEVICE;
    }
    if (status->st_nlink != 1) return IRREGULAR_HARD_LINKED;
    return (uint64_t)status->st_size > max_output_bytes ? IRREGULAR_TOO_LARGE : 0;
}

// Adds one file; path is absolute in the job's view. False if there are too many.
static bool add_output(struct outputs *outputs, const char *path, const struct stat *status, uint64_t max_output_bytes)
{
    if (outputs->count + outputs->irregular_count >= MAX_OUTPUTS) return false;
    uint32_t type = irregular_type(status, max_output_bytes);
    if (type) {
        outputs->irregular_count++;
        put_u32(&outputs->irregular, type);
        put_string(&outputs->irregular, path);
        return true;
    }
    outputs->paths[outputs->count] = strcpy(allocate(strlen(path) + 1), path);
    outputs->count++;
    put_u32(&outputs->regular, status->st_mode & 07777);
    put_u64(&outputs->regular, (uint64_t)status->st_size);
    put_string(&outputs->regular, path);
    return true;
}

// Walks a directory without following a link. path holds its name in the job's view ("" for the root) and is used as
// a stack. False if the job left more than the bounds above.
static bool walk_outputs(struct outputs *outputs, const struct search *search, int directory, char *path,
                         unsigned depth)
{
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return false;
    }
    size_t length = strlen(path);
    bool complete = true;
    for (struct dirent *entry; complete && (entry = readdir(stream));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        struct stat status;
        size_t name_length = strlen(entry->d_name);
        complete = ++outputs->visited <= search->max_visited && depth < MAX_DEPTH &&
                   length + name_length + 2 <= PATH_MAX &&
                   !fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW);
        if (!complete) break;
        if (search->by_owner && status.st_uid != search->owner) continue;
        path[length] = '/';
        memcpy(path + length + 1, entry->d_name, name_length + 1);
        if (S_ISDIR(status.st_mode)) {
            int child = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            complete = child >= 0 && walk_outputs(outputs, search, child, path, depth + 1);
        } else {
            complete = add_output(outputs, path, &status, search->max_output_bytes);
        }
        path[length] = 0;
    }
    closedir(stream);
    return complete;
}

// Collects the outputs in a directory, whose name in the job's view is given ("" for the root) and which is closed.
// False if they cannot all be listed.
static bool collect_outputs(struct outputs *outputs, const struct search *search, int directory, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", name);
    return directory >= 0 && walk_outputs(outputs, search, directory, path, 0);
}

// Appends up to length bytes of an output below a directory to the send queue; fewer at its end.
static void read_output(const struct outputs *outputs, const char *directory, uint32_t index, uint64_t offset,
                        uint32_t length)
{
    // Longer than PATH_MAX is possible and then fails to open, as it does for the job's other readers.
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s%s", directory, outputs->paths[index]);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    unsigned char *target = extend(&send_queue, length);
    size_t filled = 0;
    while (filled < length) {
        ssize_t count = pread(fd, target + filled, length - filled, (off_t)(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        filled += (size_t)count;
    }
    send_queue.length -= length - filled;
    close(fd);
}

static void free_outputs(struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) free(outputs->paths[i]);
    discard(&outputs->regular);
    discard(&outputs->irregular);
    *outputs = (struct outputs){.count = 0};
}

// Moves everything in the subdirectory `name` of `top` up into `top`. True if something moved.
static bool hoist(int top, const char *name)
{
    static unsigned long counter;
    bool moved = false;
    int directory = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = directory < 0 ? NULL : fdopendir(directory);
    if (!stream) return false;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        // Not every filesystem tells the type of an entry.
        if (entry->d_type != DT_DIR && !unlinkat(dirfd(stream), entry->d_name, 0)) {
            moved = true;
            continue;
        }
        char fresh[32];
        snprintf(fresh, sizeof fresh, ".hoisted-%lu", counter++);
        moved |= !renameat(dirfd(stream), entry->d_name, top, fresh);
    }
    closedir(stream);
    return moved;
}

// Removes a directory with all that is in it. A job may nest directories deeper than any recursion or path length
// allows; so subdirectories are moved up until each is empty, which takes two descriptors at any depth.
static void remove_tree(const char *path)
{
    for (bool progress = true; progress && rmdir(path);) {
        DIR *stream = opendir(path);
        if (!stream) break;
        progress = false;
        for (struct dirent *entry; (entry = readdir(stream));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            progress |= !unlinkat(dirfd(stream), entry->d_name, 0) ||
                        !unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR) ||
                        hoist(dirfd(stream), entry->d_name);
        }
        closedir(stream);
    }
    if (!access(path, F_OK)) die("cannot remove %s: %s", path, strerror(errno));
}
