// The rungs `chroot` and `uid`: each slot has a directory that is the root of its jobs, made of links to what they
// list, and each job has a user of its own. For a runner that is root where the kernel gives it no namespaces or no
// overlay.
//
// Everything in the root belongs to root, so that a job can neither change nor move it; in the few directories where
// the job is to leave its outputs it can make files (they are like /tmp: writable and sticky). So a root is still
// what the runner made it when the job has ended and its own files are removed, and the next job of the slot needs
// only what it lists beyond that.
//
// A supervisor stands between the runner and the job: without a PID namespace, only the user tells whose a process is.

// What the root of a slot holds.
struct slot_tree {
    bool exists;      // false: nothing is known about its directory
    char *text;       // the strings of `view`
    char **view;      // sorted by path
    uint32_t count;
    char **writable;  // of the job that has the slot
    uint32_t writable_count;
};

static const char *path_of(const char *entry)
{
    return strchr(entry, ' ') + 1;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(path_of(*(char *const *)a), path_of(*(char *const *)b));
}

// The directory of the tree and that of a root for one parent, opened without following a link: a submitter may put
// one anywhere in the tree while this runs.
struct parent_pair {
    const char *path; // not terminated
    size_t length;
    int from, to;
};

static void close_pair(struct parent_pair *pair)
{
    int error = errno;
    if (pair->from >= 0) close(pair->from);
    if (pair->to >= 0) close(pair->to);
    pair->from = pair->to = -1;
    errno = error;
}

static int descend(int directory, const char *name)
{
    return openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Descends both roots along a canonical absolute path of the given length. tree < 0: only the other. False with errno.
static bool open_pair(struct parent_pair *pair, int tree, int root, const char *path, size_t length)
{
    char name[NAME_MAX + 1];
    close_pair(pair);
    *pair = (struct parent_pair){path, length, tree < 0 ? -1 : dup(tree), dup(root)};
    for (const char *at = path + 1; pair->to >= 0 && at < path + length;) {
        const char *end = memchr(at, '/', (size_t)(path + length - at));
        size_t size = (size_t)((end ? end : path + length) - at);
        if (size > NAME_MAX) return errno = ENAMETOOLONG, false;
        memcpy(name, at, size);
        name[size] = 0;
        int to = descend(pair->to, name), from = tree < 0 ? -1 : descend(pair->from, name);
        close_pair(pair);
        *pair = (struct parent_pair){path, length, from, to};
        if (tree >= 0 && from < 0) return false;
        at += size + 1;
    }
    return pair->to >= 0;
}

// Makes `pair` the parents of a path. False with errno.
static bool use_parent(struct parent_pair *pair, int tree, int root, const char *path)
{
    size_t length = (size_t)(strrchr(path, '/') + 1 - path);
    if (pair->to >= 0 && pair->length == length && !memcmp(pair->path, path, length)) return true;
    return open_pair(pair, tree, root, path, length);
}

static bool add_entry(const struct parent_pair *parent, const char *name)
{
    struct stat status;
    char target[PATH_MAX];
    if (fstatat(parent->from, name, &status, AT_SYMLINK_NOFOLLOW)) return false;
    if (S_ISDIR(status.st_mode)) return !mkdirat(parent->to, name, 0755);
    if (S_ISREG(status.st_mode)) return !linkat(parent->from, name, parent->to, name, 0);
    ssize_t length = readlinkat(parent->from, name, target, sizeof target - 1);
    if (length < 0) return false;
    target[length] = 0;
    return !symlinkat(target, parent->to, name);
}

static bool remove_entry(const struct parent_pair *parent, const char *name, bool is_directory)
{
    return !unlinkat(parent->to, name, is_directory ? AT_REMOVEDIR : 0);
}

// Marks what only one of two sorted views has: those entries stay in place, the others become NULL in the copies.
static void leave_differences(char **old, uint32_t old_count, char **new, uint32_t new_count)
{
    for (uint32_t i = 0, j = 0; i < old_count && j < new_count;) {
        int order = strcmp(path_of(old[i]), path_of(new[j]));
        if (order == 0 && !strcmp(old[i], new[j])) old[i] = new[j] = NULL;
        if (order <= 0) i++;
        if (order >= 0) j++;
    }
}

// Turns a root that holds one view into one that holds another. False with errno.
static bool change_view(int tree, int root, char **old, uint32_t old_count, char **new, uint32_t new_count)
{
    struct parent_pair parent = {"", 0, -1, -1};
    bool done = true;
    leave_differences(old, old_count, new, new_count);
    // What is below a directory comes after it in the order, and has to go first.
    for (uint32_t i = old_count; done && i-- > 0;) {
        if (!old[i]) continue;
        const char *path = path_of(old[i]);
        done = use_parent(&parent, -1, root, path) && remove_entry(&parent, strrchr(path, '/') + 1, old[i][0] == 'd');
    }
    close_pair(&parent);
    for (uint32_t i = 0; done && i < new_count; i++) {
        if (!new[i]) continue;
        const char *path = path_of(new[i]);
        done = use_parent(&parent, tree, root, path) && add_entry(&parent, strrchr(path, '/') + 1);
    }
    close_pair(&parent);
    return done;
}

static void slot_directory(unsigned slot, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%u", scratch_directory, slot);
}

// Makes the root of a slot, with what every job has in it. Returns the failed attempt, or NULL.
static const char *make_slot_root(const char *root)
{
    if (mkdir(root, 0755) || chdir(root)) return "making the root of a job";
    if (mkdir(&JOB_TEMPORARY[1], 0755)) return "making its temporary directory";
    if (mkdir("dev", 0755) || mknod("dev/null", S_IFCHR | 0666, makedev(1, 3))) return "making /dev/null";
    return NULL;
}

// Opens a directory of a slot's root, which the runner made: no job can have put a link on the way.
static int open_in_root(int root, const char *path)
{
    struct parent_pair pair = {"", 0, -1, -1};
    if (!open_pair(&pair, -1, root, path, strlen(path))) return -1;
    // A descriptor of the directory itself, not only of its name.
    int directory = openat(pair.to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close_pair(&pair);
    return directory;
}

// Lets jobs make files in the directories of a slot that are meant for it, or no longer.
static bool set_writable(int root, const struct slot_tree *tree, bool writable)
{
    bool done = true;
    for (uint32_t i = 0; i < tree->writable_count; i++) {
        int directory = open_in_root(root, tree->writable[i]);
        done = directory >= 0 && !fchmod(directory, writable ? 01777 : 0755) && done;
        if (directory >= 0) close(directory);
    }
    return done;
}

// Removes what does not belong to root from a directory.
static void remove_of_jobs(int directory)
{
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat status;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) ||
            status.st_uid == 0)
            continue;
        if (!S_ISDIR(status.st_mode)) unlinkat(dirfd(stream), entry->d_name, 0);
        else if (!fchdir(dirfd(stream))) remove_tree(entry->d_name);
    }
    closedir(stream);
}

// Copies strings into one allocation, which `text` becomes.
static char **copy_strings(char **strings, uint32_t count, char **text)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) size += strlen(strings[i]) + 1;
    char **copies = allocate((count + 1) * sizeof *copies), *at = *text = allocate(size);
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = strcpy(at, strings[i]);
        at += strlen(at) + 1;
    }
    copies[count] = NULL;
    return copies;
}

// Notes what the root of a slot will hold, and where its job may write.
static void note_request(struct slot_tree *tree, const struct request *request)
{
    free(tree->text);
    free(tree->view);
    tree->view = copy_strings(request->view, request->view_count, &tree->text);
    tree->count = request->view_count;
    tree->exists = true;
}

static void note_writable(struct slot_tree *tree, const struct request *request)
{
    tree->writable_count = request->writable_count + 1;
    tree->writable = allocate(tree->writable_count * sizeof *tree->writable);
    for (uint32_t i = 0; i < request->writable_count; i++)
        tree->writable[i] = strcpy(allocate(strlen(request->writable[i]) + 1), request->writable[i]);
    tree->writable[request->writable_count] = strcpy(allocate(sizeof JOB_TEMPORARY), JOB_TEMPORARY);
}

static void forget_writable(struct slot_tree *tree)
{
    for (uint32_t i = 0; i < tree->writable_count; i++) free(tree->writable[i]);
    free(tree->writable);
    tree->writable = NULL;
    tree->writable_count = 0;
}

// Gives a slot back after its job: what the job made is removed, and nothing is writable any more.
static void clean_slot(unsigned slot, struct slot_tree *tree)
{
    char path[PATH_MAX];
    slot_directory(slot, path);
    int root = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (uint32_t i = 0; root >= 0 && i < tree->writable_count; i++) {
        int directory = open_in_root(root, tree->writable[i]);
        if (directory >= 0) remove_of_jobs(directory);
    }
    if (root < 0 || !set_writable(root, tree, false)) tree->exists = false;
    if (root >= 0) close(root);
    forget_writable(tree);
}

// Bytes on disk of what a user has made in a directory, counted up to some number of entries.
static uint64_t bytes_of_user(int directory, unsigned id, unsigned depth, unsigned *entries)
{
    uint64_t total = 0;
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return 0;
    }
    for (struct dirent *entry; *entries && (entry = readdir(stream)); --*entries) {
        struct stat status;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) || status.st_uid != id) continue;
        total += (uint64_t)status.st_blocks * 512;
        int child = !S_ISDIR(status.st_mode) || depth == MAX_DEPTH
                        ? -1
                        : openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0) total += bytes_of_user(child, id, depth + 1, entries);
    }
    closedir(stream);
    return total;
}
