// A second wall where the kernel has Landlock: even a way out of the job's root would lead to files that it may not
// open, and to no TCP port, abstract socket or process of others. Declared here, because older headers lack it; the
// numbers are those of the kernel's UAPI (include/uapi/linux/landlock.h).
#include <sys/syscall.h>

#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT 446
#define LANDLOCK_VERSION_FLAG 1u
#define LANDLOCK_PATH_BENEATH 1u

// Rights on files by number of the bit, and the version of Landlock that brought them.
#define LANDLOCK_RIGHTS_V1 0x1fffu
#define LANDLOCK_RIGHT_REFER 0x2000u    // 2
#define LANDLOCK_RIGHT_TRUNCATE 0x4000u // 3
// Making character devices, sockets, named pipes, block devices and links is no business of a compiler.
#define LANDLOCK_RIGHTS_OF_NOBODY (1u << 6 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 12)
#define LANDLOCK_TCP 3u    // 4: bind and connect
#define LANDLOCK_SCOPES 3u // 6: abstract Unix sockets and signals

struct landlock_ruleset {
    uint64_t files, network, scopes;
};

struct landlock_beneath {
    uint64_t rights;
    int32_t directory;
} __attribute__((packed));

// Version of Landlock in this kernel, 0 if it has none or has it switched off.
static unsigned landlock_version(void)
{
    long version = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION_FLAG);
    return version < 0 ? 0 : (unsigned)version;
}

// Confines the calling process to what lies below its root. no_new_privs must be set. Returns the failed attempt, or
// NULL; a kernel without Landlock is no failure.
static const char *restrict_to_root(unsigned version)
{
    if (!version) return NULL;
    struct landlock_ruleset ruleset = {.files = LANDLOCK_RIGHTS_V1};
    if (version >= 2) ruleset.files |= LANDLOCK_RIGHT_REFER;
    if (version >= 3) ruleset.files |= LANDLOCK_RIGHT_TRUNCATE;
    if (version >= 4) ruleset.network = LANDLOCK_TCP;
    if (version >= 6) ruleset.scopes = LANDLOCK_SCOPES;
    size_t size = version >= 6 ? sizeof ruleset : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    long rules = syscall(LANDLOCK_CREATE, &ruleset, size, 0);
    if (rules < 0) return "making a Landlock ruleset";
    struct landlock_beneath beneath = {ruleset.files & ~LANDLOCK_RIGHTS_OF_NOBODY,
                                       open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    bool failed = beneath.directory < 0 || syscall(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, &beneath, 0) ||
                  syscall(LANDLOCK_RESTRICT, rules, 0);
    int error = errno;
    if (beneath.directory >= 0) close(beneath.directory);
    close((int)rules);
    errno = error;
    return failed ? "confining it with Landlock" : NULL;
}
