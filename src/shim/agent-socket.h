/*
 * The way to the agent: its socket is found, must belong to this user alone, and is connected to.
 * Part of meshcc-shim.c.
 */
#ifndef MESHCC_AGENT_SOCKET_H
#define MESHCC_AGENT_SOCKET_H

enum { CONNECT_SECONDS = 1 };

/* What came of it. Without a socket, reason and detail say why. */
struct agent_link {
  int socket;
  int directory; /* of the socket, opened with O_PATH; -1 unless it is private to this user */
  const char *reason, *detail;
};

static struct agent_link no_agent(int directory, const char *reason, const char *detail) {
  return (struct agent_link){-1, directory, reason, detail};
}

/* The socket's path, by the same rule as src/base/paths.ts. */
static bool socket_path(char *path, size_t size_bytes) {
  const char *socket = setting("MESHCC_SOCKET"), *home = setting("MESHCC_HOME");
  const char *runtime = setting("XDG_RUNTIME_DIR");
  int length;
  if (socket) length = snprintf(path, size_bytes, "%s", socket);
  else if (home) length = snprintf(path, size_bytes, "%s/run/agent.sock", home);
  else if (runtime) length = snprintf(path, size_bytes, "%s/meshcc/agent.sock", runtime);
  else length = snprintf(path, size_bytes, "/tmp/meshcc-%u/agent.sock", getuid());
  return length < (int)size_bytes;
}

/* Connects; a full backlog is waited for no longer than CONNECT_SECONDS. */
static struct agent_link connect_to(const struct sockaddr_un *address, int directory) {
  struct timeval limit = {.tv_sec = CONNECT_SECONDS};
  struct ucred peer;
  socklen_t length = sizeof peer;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, (const struct sockaddr *)address, sizeof *address))
    return no_agent(directory, "no-agent", strerror(errno));
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) || peer.uid != getuid())
    return no_agent(directory, "agent-unsafe", "another user listens on the agent's socket");
  return (struct agent_link){fd, directory, NULL, NULL};
}

static struct agent_link connect_agent(void) {
  char path[PATH_MAX];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat found;
  if (!socket_path(path, sizeof path)) return no_agent(-1, "no-agent", strerror(ENAMETOOLONG));
  bool fits = strlen(path) < sizeof address.sun_path;
  if (fits) strcpy(address.sun_path, path);

  char *slash = strrchr(path, '/');
  const char *file = slash ? slash + 1 : path;
  if (slash) *slash = 0;
  int directory = open(!slash ? "." : *path ? path : "/", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return no_agent(-1, "no-agent", strerror(errno));
  if (directory <= STDERR_FILENO) { /* a socket there would be taken for standard input, output or error */
    close(directory);
    return no_agent(-1, "stdio-closed", "standard input, output or error is closed");
  }
  if (fstat(directory, &found) || found.st_uid != getuid() || (found.st_mode & 077))
    return no_agent(-1, "agent-unsafe", "the socket's directory must be this user's, with mode 0700");
  if (!fits) { /* around the 107 bytes of sun_path */
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, file);
    if (length >= (int)sizeof address.sun_path) return no_agent(directory, "no-agent", strerror(ENAMETOOLONG));
  }
  return connect_to(&address, directory);
}

#endif
