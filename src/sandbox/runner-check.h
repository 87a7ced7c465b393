// What a confined job must not be able to do, tried for real. Run as a job by the probe and by the tests.

static int report_leak(const char *leak, bool found)
{
    if (found) printf("a confined job %s\n", leak);
    return found ? 1 : 0;
}

// Kernel interfaces that no compiler needs, by number where old headers lack the name.
static int check_calls(void)
{
    static const struct {
        long number;
        const char *leak;
    } calls[] = {
        {__NR_socket, "can make a socket"},       {__NR_unshare, "can make namespaces"},
        {__NR_ptrace, "can trace processes"},     {__NR_keyctl, "can use keys"},
        {__NR_perf_event_open, "can use perf"},   {__NR_personality, "can change its personality"},
        {__NR_process_vm_readv, "can read the memory of others"},
        {425, "can use io_uring"},
#ifdef __NR_bpf
        {__NR_bpf, "can load programs into the kernel"},
#endif
#ifdef __NR_userfaultfd
        {__NR_userfaultfd, "can handle page faults"},
#endif
    };
    int leaks = 0;
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
        leaks += report_leak(calls[i].leak, syscall(calls[i].number, 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS);
    leaks += report_leak("can set a seccomp mode", prctl(PR_SET_SECCOMP, 99, 0, 0, 0) != -1 || errno != EPERM);
    return leaks;
}

// Prints one line for each thing that should have failed. Exit status 0 if there is none.
static int check_confinement(const char *on)
{
    bool namespaces = !strcmp(on, "namespaces");
    int leaks = report_leak("sees /proc", !access("/proc/self", F_OK)) +
                report_leak("sees /sys", !access("/sys/kernel", F_OK)) +
                report_leak("sees /etc", !access("/etc", F_OK)) +
                report_leak("sees processes of others", namespaces && getpid() != 1) +
                report_leak("can gain privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) +
                report_leak("is root", !namespaces && (!getuid() || !geteuid())) +
                report_leak("can become another user", setresuid(0, 0, 0) == 0 && !namespaces);
    // What follows would change the machine if it succeeded outside.
    if (leaks) return 1;
    int fd = open("/meshcc-check", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    leaks = report_leak("can mount", !mount("none", "/dev", "tmpfs", 0, NULL)) +
            report_leak("can make a mount namespace", !unshare(CLONE_NEWNS)) +
            report_leak("can change its root", !chroot("/dev")) +
            report_leak("can signal the machine's first process", !namespaces && !kill(1, 0)) +
            report_leak("cannot write an output", fd < 0);
    if (strcmp(on, "uid")) leaks += check_calls();
    if (!leaks) puts("confined");
    return leaks ? 1 : 0;
}
