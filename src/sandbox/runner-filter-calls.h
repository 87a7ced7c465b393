// The system calls that a confined compiler may make, as rows of an array of numbers. Found by tracing GCC, Clang and
// the GNU binutils, and completed with what other C libraries and versions use for the same purposes. Left out on
// purpose, although harmless for a compiler: whatever makes links, devices, sockets, namespaces, keys, rings, watches,
// shared memory, traces, other identities or priorities, and everything that only a privileged process can do.

    // Files by descriptor
    __NR_read, __NR_write, __NR_readv, __NR_writev, __NR_pread64, __NR_pwrite64, __NR_preadv, __NR_pwritev, __NR_close,
    __NR_lseek, __NR_fcntl, __NR_ioctl, __NR_dup, __NR_dup3, __NR_pipe2, __NR_fstat, __NR_ftruncate, __NR_fallocate,
    __NR_fsync, __NR_fdatasync, __NR_fchmod, __NR_fchdir, __NR_getdents64, __NR_fstatfs, __NR_ppoll, __NR_pselect6,
    __NR_sendfile, __NR_readahead,
#ifdef __NR_fadvise64
    __NR_fadvise64,
#endif
#ifdef __NR_fadvise64_64
    __NR_fadvise64_64,
#endif
#ifdef __NR_arm_fadvise64_64
    __NR_arm_fadvise64_64,
#endif
#ifdef __NR_copy_file_range
    __NR_copy_file_range,
#endif
#ifdef __NR_close_range
    __NR_close_range,
#endif

    // Files by name
    __NR_openat, __NR_faccessat, __NR_readlinkat, __NR_mkdirat, __NR_unlinkat, __NR_fchmodat, __NR_utimensat,
    __NR_statfs, __NR_truncate, __NR_chdir, __NR_getcwd, __NR_umask,
#ifdef __NR_newfstatat
    __NR_newfstatat,
#endif
#ifdef __NR_statx
    __NR_statx,
#endif
#ifdef __NR_faccessat2
    __NR_faccessat2,
#endif
#ifdef __NR_renameat
    __NR_renameat,
#endif
#ifdef __NR_renameat2
    __NR_renameat2,
#endif

    // Memory
    __NR_brk, __NR_munmap, __NR_mprotect, __NR_mremap, __NR_madvise, __NR_msync,
#ifdef __NR_mmap
    __NR_mmap,
#endif
#ifdef __NR_mmap2
    __NR_mmap2,
#endif

    // Processes and threads of its own
    __NR_clone, __NR_execve, __NR_exit, __NR_exit_group, __NR_wait4, __NR_waitid, __NR_kill, __NR_tkill, __NR_tgkill,
    __NR_getpid, __NR_getppid, __NR_gettid, __NR_getpgid, __NR_getsid, __NR_getuid, __NR_geteuid, __NR_getgid,
    __NR_getegid, __NR_getresuid, __NR_getresgid, __NR_getgroups, __NR_set_tid_address, __NR_set_robust_list,
    __NR_futex, __NR_sched_yield, __NR_sched_getaffinity, __NR_getpriority, __NR_prctl, __NR_restart_syscall,
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigpending, __NR_rt_sigsuspend, __NR_rt_sigtimedwait,
    __NR_sigaltstack, __NR_rt_sigreturn,
#ifdef __NR_rseq
    __NR_rseq,
#endif
#ifdef __NR_arch_prctl
    __NR_arch_prctl,
#endif
#ifdef __NR_set_thread_area
    __NR_set_thread_area,
#endif
#ifdef __NR_riscv_flush_icache
    __NR_riscv_flush_icache,
#endif

    // What the machine and the limits are, time and chance
    __NR_uname, __NR_sysinfo, __NR_times, __NR_getrusage, __NR_prlimit64, __NR_gettimeofday, __NR_clock_gettime,
    __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep, __NR_getcpu,
#ifdef __NR_getrandom
    __NR_getrandom,
#endif
#ifdef __NR_getrlimit
    __NR_getrlimit,
#endif
#ifdef __NR_setrlimit
    __NR_setrlimit,
#endif

    // Names that only older tables have
#ifdef __NR_open
    __NR_open, __NR_creat, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_rename, __NR_unlink, __NR_mkdir,
    __NR_rmdir, __NR_chmod, __NR_dup2, __NR_pipe, __NR_poll, __NR_getdents, __NR_fork, __NR_vfork, __NR_getpgrp,
    __NR_pause,
#endif
#ifdef __NR_select
    __NR_select,
#endif
#ifdef __NR_time
    __NR_time,
#endif
#ifdef __NR_utimes
    __NR_utimes,
#endif
#ifdef __NR_utime
    __NR_utime,
#endif

    // 32 bits: wide files, wide ids, and wide times
#ifdef __NR_fstatat64
    __NR_fstatat64, __NR_fstat64, __NR_stat64, __NR_lstat64, __NR__llseek, __NR_fcntl64, __NR_ftruncate64,
    __NR_truncate64, __NR_statfs64, __NR_fstatfs64, __NR_sendfile64, __NR__newselect, __NR_ugetrlimit, __NR_getuid32,
    __NR_geteuid32, __NR_getgid32, __NR_getegid32, __NR_getresuid32, __NR_getresgid32, __NR_getgroups32,
    __NR_sigreturn, __NR_sigaction, __NR_sigprocmask,
#endif
#ifdef __NR_waitpid
    __NR_waitpid,
#endif
#ifdef __NR_clock_gettime64
    __NR_clock_gettime64, __NR_clock_getres_time64, __NR_clock_nanosleep_time64, __NR_utimensat_time64,
    __NR_pselect6_time64, __NR_ppoll_time64, __NR_rt_sigtimedwait_time64, __NR_futex_time64,
#endif
