/*
 * Outputs on their way to their final paths: a file appears whole or not at all. Part of meshcc-shim.c.
 */
#ifndef MESHCC_OUTPUT_FILE_H
#define MESHCC_OUTPUT_FILE_H

#define OWN_FDS "/proc/self/fd"

struct output {
  int fd;
  uint64_t size_bytes, written_bytes;
  const char *final_path;
  char *temporary_path;
  bool is_named; /* it lies at temporary_path */
};

/*
 * A file in the directory of `path` that has no name before it is whole: nobody can open it, nothing is left of it
 * whatever happens, and whoever watches the directory, the agent first, hears of it half as often.
 * -1 where the kernel, the file system or the lack of /proc does not allow that.
 */
static int open_unnamed(char *path) {
  static enum { UNKNOWN, IMPOSSIBLE, POSSIBLE } naming;
  if (naming == UNKNOWN) naming = access(OWN_FDS, F_OK) ? IMPOSSIBLE : POSSIBLE;
  if (naming == IMPOSSIBLE) return -1;
  char *base = strrchr(path, '/') + 1, first = *base;
  *base = 0;
  int fd = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  *base = first;
  return fd;
}

/* Begins an output; both paths are in one directory. False with errno if no file can be made there. */
static bool open_output(struct output *output) {
  output->fd = open_unnamed(output->temporary_path);
  output->is_named = output->fd < 0;
  if (output->is_named)
    output->fd = open(output->temporary_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  return output->fd >= 0;
}

/* Ends an output that is not wanted. */
static void discard_output(struct output *output) {
  close(output->fd);
  if (output->is_named) unlink(output->temporary_path);
}

/* False for what a compiler would write through (a device, a symbolic or hard link) or could not write. */
static bool can_replace(const char *path) {
  struct stat found;
  if (lstat(path, &found)) return errno == ENOENT;
  return S_ISREG(found.st_mode) && found.st_nlink == 1 && access(path, W_OK) == 0;
}

/* False with errno if what was written may not be on its way to the disk; a file system may say so at close only. */
static bool is_written(int fd) {
  int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return again >= 0 && close(again) == 0;
}

/* Gives a file that has none a name. */
static bool give_name(int fd, const char *path) {
  char own[sizeof OWN_FDS + 12] = OWN_FDS "/";
  put_number(own + strlen(own), (unsigned)fd);
  return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static bool put_in_place(struct output *output) {
  if (!output->is_named) {
    if (give_name(output->fd, output->final_path)) return true;
    if (errno != EEXIST || !give_name(output->fd, output->temporary_path)) return false;
    output->is_named = true;
  }
  return rename(output->temporary_path, output->final_path) == 0;
}

#endif
