// A program that does what a compiler never should. Its first argument says what to do.
#include "../support/attacks.h"

static int leave_irregular_files(const char *victim)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    if (make_file("plain") || make_file("linked")) return 98;
    TRY("link", link("linked", "second-name"));
    TRY("symlink", symlink("/usr", "link"));
    TRY("fifo", mkfifo("fifo", 0600));
    TRY("socket", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name));
    TRY("unlink", unlink(victim));
    return 0;
}

static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

static int make_files(unsigned count)
{
    char name[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "file-%u", i);
        if (make_file(name)) return 97;
    }
    return 0;
}

static int print_blocks(unsigned count)
{
    static char block[4096];
    memset(block, 'p', sizeof block);
    for (unsigned i = 0; i < count; i++)
        if (write(1, block, sizeof block) < 0 || write(2, block, sizeof block) < 0) return 98;
    return 0;
}

// Everything that would change an input, and files of its own at the end.
static int change_input(const char *input)
{
    TRY("unlink", unlink(input));
    TRY("rename-away", rename(input, "elsewhere"));
    TRY("rename-over", make_file("own") ? -1 : rename("own", input));
    TRY("chmod", chmod(input, 0666));
    TRY("truncate", truncate(input, 0));
    TRY("open", open(input, O_WRONLY));
    TRY("create", open(input, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    TRY("chmod-directory", chmod(".", 0777));
    TRY("rename-directory", rename(".", "../elsewhere"));
    unlink("own");
    return make_file("left-behind") || mkdir("d", 0700) ? 97 : 0;
}

static int use_temporary_directory(void)
{
    if (chdir(getenv("TMPDIR")) || make_file("scratch-file")) return 98;
    puts(getenv("TMPDIR"));
    return 0;
}

int main(int argc, char **argv)
{
    refuse_outside_of_sandbox();
    const char *what = argc > 1 ? argv[1] : "", *value = argc > 2 ? argv[2] : "0";
    if (!strcmp(what, "everything")) try_everything();
    else if (!strcmp(what, "irregular")) return leave_irregular_files(value);
    else if (!strcmp(what, "connect")) return connect_to(value);
    else if (!strcmp(what, "many")) return make_files((unsigned)atoi(value));
    else if (!strcmp(what, "deep")) return nest_directories((unsigned)atoi(value)) ? 98 : 0;
    else if (!strcmp(what, "daemon")) leave_daemon();
    else if (!strcmp(what, "temporary")) return use_temporary_directory();
    else if (!strcmp(what, "crash")) __builtin_trap();
    else if (!strcmp(what, "fill")) return fill_disk("filler", (unsigned)atoi(value), 0);
    else if (!strcmp(what, "fill-in-parts")) return fill_disk_in_parts((unsigned)atoi(value));
    else if (!strcmp(what, "fill-and-wait")) {
        int error = fill_disk_in_parts((unsigned)atoi(value));
        if (error) return error;
        for (;;) pause();
    } else if (!strcmp(what, "print")) return print_blocks((unsigned)atoi(value));
    else if (!strcmp(what, "fork-bomb")) fork_bomb();
    else if (!strcmp(what, "memory")) eat_memory();
    else if (!strcmp(what, "kill-all")) return kill(-1, SIGKILL) ? errno : 0;
    else if (!strcmp(what, "vandal")) return change_input(value);
    else if (!strcmp(what, "write-input")) return open(value, O_WRONLY) < 0 ? errno : 0;
    else return 96;
    return 0;
}
