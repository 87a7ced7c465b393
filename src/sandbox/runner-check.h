// What a confined job must not be able to do, tried for real. Run as a job by the probe and by the tests.

static int report(const char *leak, bool found)
{
    if (found) printf("a confined job %s\n", leak);
    return found ? 1 : 0;
}

// Prints one line for each thing that should have failed. Exit status 0 if there is none.
static int check_confinement(void)
{
    int leaks = report("sees /proc", !access("/proc/self", F_OK)) + report("sees /sys", !access("/sys/kernel", F_OK)) +
                report("sees /etc", !access("/etc", F_OK)) + report("sees processes of others", getpid() != 1) +
                report("can gain privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1);
    // What follows would change the machine if it succeeded outside.
    if (leaks) return 1;
    leaks = report("can mount", !mount("none", "/dev", "tmpfs", 0, NULL)) +
            report("can make a mount namespace", !unshare(CLONE_NEWNS)) +
            report("cannot write an output", mknod("/meshcc-check", S_IFREG | 0644, 0) != 0);
    if (!leaks) puts("confined");
    return leaks ? 1 : 0;
}
