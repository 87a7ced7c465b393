// The system-call filter of confined jobs. An allow-list: a compiler needs about a hundred calls, and a kernel gets
// new ones every year, each of them a way in. What is not listed does not exist (ENOSYS): C libraries then use the
// older call that every kernel has, so that a newer library works.
//
// Two programs, because the kernel compiles a filter each time it is installed, and the long one then costs a job
// nothing: the runner itself gets the list of all calls that it or a job needs, and each job a short one on top that
// takes the calls of the runner away and looks at arguments. Both let through only calls of the machine's own kind:
// the tables of other kinds (x32, 32-bit calls on 64 bits) have other numbers, and such a call ends the process.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARM_EABI__) && defined(__ARMEL__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

// Since Linux 4.14; before that the thread alone is killed, which ends a compiler too.
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL
#endif

#define X32_CALL_BIT 0x40000000u
#define NEW_NAMESPACES                                                                                                 \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | 0x02000000u /* cgroup */ \
     | 0x80u /* time */)

#ifdef FILTER_ARCHITECTURE

// What jobs may call.
static const unsigned short job_calls[] = {
#include "runner-filter-calls.h"
};

// What only the runner and the first steps of a job may call.
static const unsigned short runner_calls[] = {
    __NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_setsid, __NR_capset, __NR_mknodat, __NR_linkat,
    __NR_symlinkat, __NR_fchownat, __NR_setresuid, __NR_setresgid, __NR_setgroups, __NR_seccomp,
#ifdef __NR_mknod
    __NR_mknod, __NR_link, __NR_symlink, __NR_chown, __NR_lchown,
#endif
#ifdef __NR_setresuid32
    __NR_setresuid32, __NR_setresgid32, __NR_setgroups32, __NR_chown32, __NR_lchown32,
#endif
    444, 445, 446, // landlock_create_ruleset, _add_rule, _restrict_self; the same number everywhere
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MAX_FILTER_STEPS 1024u

struct filter {
    struct sock_filter steps[MAX_FILTER_STEPS];
    unsigned short count;
};

static void add_step(struct filter *filter, unsigned short code, uint32_t value, unsigned if_true, unsigned if_false)
{
    if (filter->count == MAX_FILTER_STEPS || if_true > 255 || if_false > 255) die("the system-call filter is too long");
    filter->steps[filter->count++] =
        (struct sock_filter){code, (unsigned char)if_true, (unsigned char)if_false, value};
}

static void load_word(struct filter *filter, size_t offset)
{
    add_step(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void return_action(struct filter *filter, uint32_t action)
{
    add_step(filter, BPF_RET | BPF_K, action, 0, 0);
}

// Little-endian: the low half of an argument comes first. The kernel ignores the other half of those looked at here.
static void load_argument(struct filter *filter, unsigned index)
{
    load_word(filter, offsetof(struct seccomp_data, args) + 8 * index);
}

// Ends a process that calls by another table; leaves the number of the call loaded.
static void check_architecture(struct filter *filter)
{
    load_word(filter, offsetof(struct seccomp_data, arch));
    add_step(filter, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCHITECTURE, 1, 0);
    return_action(filter, SECCOMP_RET_KILL_PROCESS);
    load_word(filter, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add_step(filter, BPF_JMP | BPF_JGE | BPF_K, X32_CALL_BIT, 0, 1);
    return_action(filter, SECCOMP_RET_KILL_PROCESS);
#endif
}

struct range {
    uint32_t first, last;
};

// A binary search among ranges of allowed numbers.
static void search_ranges(struct filter *filter, const struct range *ranges, unsigned count)
{
    if (count == 1) {
        add_step(filter, BPF_JMP | BPF_JGE | BPF_K, ranges->first, 0, 2);
        add_step(filter, BPF_JMP | BPF_JGT | BPF_K, ranges->last, 1, 0);
        return_action(filter, SECCOMP_RET_ALLOW);
        return_action(filter, SECCOMP_RET_ERRNO | ENOSYS);
        return;
    }
    unsigned short branch = filter->count;
    add_step(filter, BPF_JMP | BPF_JGE | BPF_K, ranges[count / 2].first, 0, 0);
    search_ranges(filter, ranges, count / 2);
    unsigned left = filter->count - branch - 1u;
    if (left > 255) die("the system-call filter is too long");
    filter->steps[branch].jt = (unsigned char)left;
    search_ranges(filter, ranges + count / 2, count - count / 2);
}

static int by_number(const void *a, const void *b)
{
    return *(const unsigned short *)a - *(const unsigned short *)b;
}

static const char *install_filter(struct filter *filter)
{
    struct sock_fprog program = {filter->count, filter->steps};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? "installing the system-call filter" : NULL;
}

// The runner's own filter: what it and its jobs need. no_new_privs must be set.
static const char *filter_runner(void)
{
    static unsigned short numbers[COUNT(job_calls) + COUNT(runner_calls)];
    static struct range ranges[COUNT(numbers)];
    static struct filter filter;
    unsigned count = 0;
    memcpy(numbers, job_calls, sizeof job_calls);
    memcpy(numbers + COUNT(job_calls), runner_calls, sizeof runner_calls);
    qsort(numbers, COUNT(numbers), sizeof *numbers, by_number);
    for (unsigned i = 0; i < COUNT(numbers); i++) {
        if (count && numbers[i] <= ranges[count - 1].last + 1) ranges[count - 1].last = numbers[i];
        else ranges[count++] = (struct range){numbers[i], numbers[i]};
    }
    filter.count = 0;
    check_architecture(&filter);
#ifdef __arm__
    // Calls of the architecture itself lie beyond the table: cacheflush and set_tls.
    add_step(&filter, BPF_JMP | BPF_JEQ | BPF_K, 0x0f0002, 1, 0);
    add_step(&filter, BPF_JMP | BPF_JEQ | BPF_K, 0x0f0005, 0, 1);
    return_action(&filter, SECCOMP_RET_ALLOW);
#endif
    search_ranges(&filter, ranges, count);
    return install_filter(&filter);
}

// One call of which only some values of an argument are allowed; what is loaded afterwards is not the number.
static void allow_values(struct filter *filter, uint32_t call, unsigned argument, const uint32_t *values,
                         unsigned count, uint32_t otherwise)
{
    add_step(filter, BPF_JMP | BPF_JEQ | BPF_K, call, 0, count + 3);
    load_argument(filter, argument);
    for (unsigned i = 0; i < count; i++) add_step(filter, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
    return_action(filter, otherwise);
    return_action(filter, SECCOMP_RET_ALLOW);
}

// The job's filter, on top of the runner's. The last thing before the job becomes its command.
static const char *filter_job(void)
{
    // TCGETS, TCGETS2, TIOCGWINSZ: what tells a terminal and its width. Others change a device.
    static const uint32_t terminal_questions[] = {0x5401, 0x802c542a, 0x5413};
    static const uint32_t process_controls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_NO_NEW_PRIVS};
    static struct filter filter;
    if (!filter.count) {
        check_architecture(&filter);
        for (unsigned i = 0; i < COUNT(runner_calls); i++) {
            add_step(&filter, BPF_JMP | BPF_JEQ | BPF_K, runner_calls[i], 0, 1);
            return_action(&filter, SECCOMP_RET_ERRNO | EPERM);
        }
        allow_values(&filter, __NR_ioctl, 1, terminal_questions, COUNT(terminal_questions), SECCOMP_RET_ERRNO | ENOTTY);
        allow_values(&filter, __NR_prctl, 0, process_controls, COUNT(process_controls), SECCOMP_RET_ERRNO | EPERM);
        add_step(&filter, BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3);
        load_argument(&filter, 0);
        add_step(&filter, BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES & ~0x80u, 0, 1);
        return_action(&filter, SECCOMP_RET_ERRNO | EPERM);
        return_action(&filter, SECCOMP_RET_ALLOW);
    }
    return install_filter(&filter);
}

#else

static const char *filter_runner(void)
{
    errno = ENOSYS;
    return "making a system-call filter for this architecture";
}

static const char *filter_job(void)
{
    return filter_runner();
}

#endif
