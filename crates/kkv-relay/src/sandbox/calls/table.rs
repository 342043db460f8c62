//! Linux's system calls, up to `NEWEST`, and whether a process in the sandbox may make them.
//!
//! [`ALLOWED`]: no effect outside the process, or checked by Landlock. [`LIMITED`]: allowed with some arguments only,
//! see `arguments`. [`REFUSED`]: not checked by Landlock, or only by newer versions; each group says what an attacker
//! in the process could do with it. `ABSENT`: libraries fall back without them. A test counts that each call is in one
//! list.

use libc::*;

/// The newest call that was reviewed (`listns`, Linux 6.19). Later ones are absent.
#[cfg(test)]
pub(super) const NEWEST: c_long = 470;

/// Allowed with any arguments.
#[rustfmt::skip] // it would take a line for each
pub(super) const ALLOWED: &[&[c_long]] = &[
    // Reading and writing what is open.
    &[
        SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
        SYS_pwritev2, SYS_lseek, SYS_sendfile, SYS_copy_file_range, SYS_readahead, SYS_fadvise64, SYS_fsync,
        SYS_fdatasync, SYS_sync_file_range, SYS_ftruncate, SYS_fallocate, SYS_flock, SYS_close, SYS_close_range,
        SYS_dup, SYS_dup3, SYS_pipe2, SYS_eventfd2, SYS_signalfd4,
    ],
    // Files by path: Landlock checks opening, creating, moving and removing.
    &[
        SYS_openat, SYS_openat2, SYS_mkdirat, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_getdents64,
        SYS_umask,
    ],
    // Existence, size and times of files, and targets of links. Landlock doesn't check these, and without them no
    // library finds its files. So this leak remains: see THREATS.md.
    &[
        SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
        SYS_getcwd, SYS_chdir, SYS_fchdir,
    ],
    // Sockets that exist already. New ones are limited.
    &[
        SYS_accept, SYS_accept4, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt,
        SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
    ],
    // Waiting.
    &[
        SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_ppoll, SYS_pselect6, SYS_nanosleep,
        SYS_clock_nanosleep, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_timer_create,
        SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete, SYS_getitimer, SYS_setitimer,
        SYS_wait4, SYS_waitid, SYS_restart_syscall,
    ],
    // Its own memory. Landlock checks execution by path only; but execve is refused.
    &[
        SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free, SYS_brk,
        SYS_madvise, SYS_msync, SYS_mlock, SYS_mlock2, SYS_mlockall, SYS_munlock, SYS_munlockall, MAP_SHADOW_STACK,
        MSEAL,
    ],
    // Its own threads, and signals to itself.
    &[
        SYS_futex, SYS_futex_waitv, FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE, SYS_set_robust_list, SYS_set_tid_address,
        SYS_rseq, SYS_membarrier, SYS_sched_yield, SYS_getcpu, SYS_rt_sigaction, SYS_rt_sigprocmask,
        SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_exit,
        SYS_exit_group,
    ],
    // Queries: time, identity, resources.
    &[
        SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_times, SYS_getpid, SYS_getppid, SYS_gettid,
        SYS_getuid, SYS_geteuid, SYS_getresuid, SYS_getgid, SYS_getegid, SYS_getresgid, SYS_getgroups, SYS_getpgid,
        SYS_getsid, SYS_capget, SYS_getrlimit, SYS_getrusage, SYS_getpriority, SYS_sched_getaffinity,
        SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_getattr, SYS_sched_get_priority_max,
        SYS_sched_get_priority_min, SYS_sched_rr_get_interval, SYS_sysinfo, SYS_uname, SYS_getrandom,
    ],
    machine::ALLOWED,
];

/// Allowed with some arguments: see `arguments`.
pub(super) const LIMITED: &[c_long] = &[
    SYS_socket,
    SYS_connect,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_clone,
    SYS_kill,
    SYS_tgkill,
    SYS_tkill,
    SYS_prlimit64,
    SYS_ioctl,
    SYS_fcntl,
    SYS_prctl,
    SYS_seccomp,
    SYS_utimensat,
];

/// Refused with `EPERM`.
#[rustfmt::skip] // it would take a line for each
pub(super) const REFUSED: &[&[c_long]] = &[
    // Another program, with all of this user's rights.
    &[SYS_execve, SYS_execveat],
    // Other processes: read, changed, signalled, watched. Landlock checks `ptrace`, and signals since Linux 6.12.
    &[
        SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_open, SYS_pidfd_getfd,
        SYS_pidfd_send_signal, PROCESS_MADVISE, PROCESS_MRELEASE, SYS_get_robust_list, SYS_rt_sigqueueinfo,
        SYS_rt_tgsigqueueinfo,
    ],
    // Other processes' limits, priorities, CPUs and NUMA nodes. A CPU time limit of zero kills.
    &[
        SYS_setrlimit, SYS_setpriority, SYS_ioprio_set, SYS_ioprio_get, SYS_sched_setaffinity, SYS_sched_setparam,
        SYS_sched_setscheduler, SYS_sched_setattr, SYS_migrate_pages, SYS_move_pages, SYS_mbind, SYS_set_mempolicy,
        SYS_get_mempolicy, SET_MEMPOLICY_HOME_NODE,
    ],
    // System V and POSIX IPC and keyrings: channels to other users' programs.
    &[
        SYS_shmget, SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl, SYS_msgget,
        SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend, SYS_mq_timedreceive,
        SYS_mq_notify, SYS_mq_getsetattr, SYS_add_key, SYS_request_key, SYS_keyctl,
    ],
    // Spying on what others do with files, and on what is in the page cache.
    &[
        SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_fanotify_init, SYS_fanotify_mark,
        SYS_mincore, CACHESTAT, SYS_lookup_dcookie,
    ],
    // Extended attributes, also of files opened for reading: an ACL opens a file to another user, and a value stores
    // data on the disk.
    &[
        SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr,
        SYS_llistxattr, SYS_flistxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SETXATTRAT, GETXATTRAT,
        LISTXATTRAT, REMOVEXATTRAT, FILE_GETATTR, FILE_SETATTR,
    ],
    // Owners and modes of files. (SQLite tries both, and ignores the error.) Before Linux 6.2 Landlock doesn't check
    // truncation. Device nodes and named pipes are of no use here.
    &[
        SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate, SYS_mknodat, SYS_quotactl, QUOTACTL_FD,
        SYS_sync, SYS_syncfs,
    ],
    // The sockets of strangers and the owner listen already.
    &[SYS_bind, SYS_listen, SYS_socketpair],
    // Ways around this filter, and files without a path.
    &[
        SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup, SYS_io_destroy, SYS_io_submit,
        SYS_io_cancel, SYS_io_getevents, IO_PGETEVENTS, SYS_splice, SYS_tee, SYS_vmsplice, SYS_remap_file_pages,
        SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_memfd_create, MEMFD_SECRET, SYS_personality,
    ],
    // Another user, process group or set of rights.
    &[
        SYS_setuid, SYS_setreuid, SYS_setresuid, SYS_setfsuid, SYS_setgid, SYS_setregid, SYS_setresgid, SYS_setfsgid,
        SYS_setgroups, SYS_setpgid, SYS_setsid, SYS_capset, LSM_GET_SELF_ATTR, LSM_SET_SELF_ATTR, LSM_LIST_MODULES,
        SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self,
    ],
    // Namespaces and mounts.
    &[
        SYS_unshare, SYS_setns, LISTNS, SYS_chroot, SYS_pivot_root, SYS_mount, SYS_umount2, SYS_open_tree,
        OPEN_TREE_ATTR, SYS_move_mount, SYS_fsopen, SYS_fsmount, SYS_fsconfig, SYS_fspick, SYS_mount_setattr, STATMOUNT,
        LISTMOUNT,
    ],
    // Kernel internals, and what is root's.
    &[
        SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_init_module, SYS_finit_module, SYS_delete_module,
        SYS_kexec_load, KEXEC_FILE_LOAD, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_settimeofday,
        SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_syslog,
        SYS_vhangup, SYS_nfsservctl,
    ],
    machine::REFUSED,
];

/// `ENOSYS`, as everything in no list. `clone3` has its flags in memory, which a filter can't read; libraries fall back
/// to `clone`, where they are an argument. `fchmodat2` is a variant of what is refused above.
#[cfg(test)]
pub(super) const ABSENT: &[c_long] = &[SYS_clone3, FCHMODAT2];

// From 424 on a call has one number on all architectures; libc lacks some of these names on some.
const PROCESS_MADVISE: c_long = 440;
const QUOTACTL_FD: c_long = 443;
const MEMFD_SECRET: c_long = 447;
const PROCESS_MRELEASE: c_long = 448;
const SET_MEMPOLICY_HOME_NODE: c_long = 450;
const CACHESTAT: c_long = 451;
#[cfg(test)]
const FCHMODAT2: c_long = 452;
const MAP_SHADOW_STACK: c_long = 453;
const FUTEX_WAKE: c_long = 454;
const FUTEX_WAIT: c_long = 455;
const FUTEX_REQUEUE: c_long = 456;
const STATMOUNT: c_long = 457;
const LISTMOUNT: c_long = 458;
const LSM_GET_SELF_ATTR: c_long = 459;
const LSM_SET_SELF_ATTR: c_long = 460;
const LSM_LIST_MODULES: c_long = 461;
const MSEAL: c_long = 462;
const SETXATTRAT: c_long = 463;
const GETXATTRAT: c_long = 464;
const LISTXATTRAT: c_long = 465;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_GETATTR: c_long = 468;
const FILE_SETATTR: c_long = 469;
const LISTNS: c_long = 470;

#[cfg(target_arch = "x86_64")]
const IO_PGETEVENTS: c_long = 333;
#[cfg(not(target_arch = "x86_64"))]
const IO_PGETEVENTS: c_long = 292;
#[cfg(target_arch = "x86_64")]
const KEXEC_FILE_LOAD: c_long = 320;
#[cfg(not(target_arch = "x86_64"))]
const KEXEC_FILE_LOAD: c_long = 294;

/// Older variants of the same calls, and x86's own.
#[cfg(target_arch = "x86_64")]
mod machine {
    use libc::*;

    /// `uretprobe` and `uprobe` are made by breakpoints that root sets; elsewhere they do nothing.
    const URETPROBE: c_long = 335;
    const UPROBE: c_long = 336;

    #[rustfmt::skip] // it would take a line for each
    pub(super) const ALLOWED: &[c_long] = &[
        SYS_open, SYS_creat, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_renameat, SYS_link, SYS_symlink,
        SYS_getdents, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_dup2, SYS_pipe, SYS_eventfd, SYS_signalfd,
        SYS_epoll_create, SYS_epoll_wait, SYS_poll, SYS_select, SYS_pause, SYS_alarm, SYS_time, SYS_getpgrp,
        SYS_arch_prctl, URETPROBE, UPROBE,
    ];

    #[rustfmt::skip] // it would take a line for each
    pub(super) const REFUSED: &[c_long] = &[
        SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_mknod,
        SYS_inotify_init, SYS_ustat, SYS_sysfs, SYS_uselib, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
        SYS_set_thread_area, SYS_get_thread_area,
    ];
}

#[cfg(target_arch = "aarch64")]
mod machine {
    pub(super) const ALLOWED: &[libc::c_long] = &[libc::SYS_renameat];
    pub(super) const REFUSED: &[libc::c_long] = &[];
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    /// `riscv_hwprobe` and `riscv_flush_icache`: CPU features, and freshly loaded code.
    pub(super) const ALLOWED: &[libc::c_long] = &[258, 259];
    pub(super) const REFUSED: &[libc::c_long] = &[];
}
