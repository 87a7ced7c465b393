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
static char *socket_path(void) {
  char digits[DECIMAL_BYTES];
  const char *socket = setting("MESHCC_SOCKET"), *home = setting("MESHCC_HOME");
  const char *runtime = setting("XDG_RUNTIME_DIR");
  if (socket) return joined(socket, NULL);
  if (home) return joined(home, "/run/agent.sock", NULL);
  if (runtime) return joined(runtime, "/meshcc/agent.sock", NULL);
  return joined("/tmp/meshcc-", decimal(getuid(), digits), "/agent.sock", NULL);
}

/* Connects once more and waits: the agent has more calls before it than its backlog holds. */
static int connect_patiently(int fd, const struct sockaddr_un *address) {
  struct timeval limit = {.tv_sec = CONNECT_SECONDS};
  if (fcntl(fd, F_SETFL, 0) || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)) return -1;
  return connect(fd, (const struct sockaddr *)address, sizeof *address);
}

/* Connects; a full backlog is waited for no longer than CONNECT_SECONDS. */
static struct agent_link connect_to(const struct sockaddr_un *address, int directory) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool is_connected = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
  if (!is_connected && errno == EAGAIN) is_connected = connect_patiently(fd, address) == 0;
  if (!is_connected) return no_agent(directory, "no-agent", strerror(errno));
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) || peer.uid != getuid())
    return no_agent(directory, "agent-unsafe", "another user listens on the agent's socket");
  return (struct agent_link){fd, directory, NULL, NULL};
}

static struct agent_link connect_agent(void) {
  char *path = socket_path(), digits[DECIMAL_BYTES];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat found;
  if (strlen(path) >= PATH_MAX) return no_agent(-1, "no-agent", strerror(ENAMETOOLONG));
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
    const char *around = joined("/proc/self/fd/", decimal((unsigned)directory, digits), "/", file, NULL);
    if (strlen(around) >= sizeof address.sun_path) return no_agent(directory, "no-agent", strerror(ENAMETOOLONG));
    strcpy(address.sun_path, around);
  }
  return connect_to(&address, directory);
}

#endif
