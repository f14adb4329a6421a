#include "base/confinement.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/unique_fd.h"

namespace parley {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

std::unexpected<Error> not_confined(const char* what) {
  return unavailable("not_confined", std::string(what) + ": " + std::generic_category().message(errno));
}

bool limit(int resource, std::uint64_t most) {
  const rlimit value{.rlim_cur = most, .rlim_max = most};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &value) == 0;
}

// Calls that open, begin, change or signal something, on any architecture.
constexpr int kRefused[] = {
    SYS_openat,
    SYS_openat2,
    SYS_open_by_handle_at,
    SYS_execve,
    SYS_execveat,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_accept,
    SYS_accept4,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_personality,
    SYS_setuid,
    SYS_setgid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_shmget,
    SYS_msgget,
    SYS_semget,
    SYS_mq_open,
    SYS_fanotify_init,
    SYS_inotify_init1,
    SYS_setpriority,
    SYS_setpgid,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_ioprio_set,
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_process_madvise,
#if defined(__x86_64__)
    SYS_open,
    SYS_creat,
    SYS_fork,
    SYS_vfork,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_inotify_init,
    SYS_ioperm,
    SYS_iopl,
    SYS_modify_ldt,
#endif
};

// What makes the kernel signal whoever was named when something comes for a descriptor, which the parent may share.
constexpr std::uint32_t kFcntlsRefused[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};
constexpr std::uint32_t kIoctlsRefused[] = {FIOSETOWN, SIOCSPGRP};

constexpr sock_filter statement(std::uint16_t code, std::uint32_t value) {
  return {.code = code, .jt = 0, .jf = 0, .k = value};
}
constexpr sock_filter jump(std::uint16_t code, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
  return {.code = code, .jt = if_true, .jf = if_false, .k = value};
}
constexpr sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter answer(std::uint32_t value) {
  return statement(BPF_RET | BPF_K, value);
}
constexpr std::uint32_t refused_with(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}
// Of an argument; both architectures are little-endian.
constexpr std::size_t low_half_of(std::size_t argument) {
  return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t);
}

class Filter {
 public:
  Filter() {
    add({load(offsetof(seccomp_data, arch)), jump(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
         answer(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))});
#if defined(__x86_64__)
    constexpr std::uint32_t kX32 = 0x40000000;
    add({jump(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1), answer(SECCOMP_RET_KILL_PROCESS)});
#endif
    for (const int call : kRefused) refuse(call, EPERM);
    refuse(SYS_clone3, ENOSYS);  // its flags are out of a filter's sight; libc then takes clone
    // A thread, no process.
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4), load(low_half_of(0)),
         jump(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1), answer(SECCOMP_RET_ALLOW), answer(refused_with(EPERM))});
    // abort() signals itself; limits may be read and lowered, its own.
    const auto self = static_cast<std::uint32_t>(::getpid());
    allow_for(SYS_tgkill, self);
    for (const int call : {SYS_prlimit64, SYS_sched_setattr, SYS_sched_setaffinity}) allow_for(call, 0);
    refuse_where(SYS_fcntl, 1, kFcntlsRefused);
    refuse_where(SYS_ioctl, 1, kIoctlsRefused);
    add({answer(SECCOMP_RET_ALLOW)});
  }
  bool install() {
    sock_fprog program{.len = static_cast<unsigned short>(code_.size()), .filter = code_.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
  }

 private:
  void add(std::initializer_list<sock_filter> code) { code_.insert(code_.end(), code); }
  void refuse(int call, int error) {
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1), answer(refused_with(error))});
  }
  // Only where its first argument is that process.
  void allow_for(int call, std::uint32_t process) {
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4), load(low_half_of(0)),
         jump(BPF_JMP | BPF_JEQ | BPF_K, process, 0, 1), answer(SECCOMP_RET_ALLOW), answer(refused_with(EPERM))});
  }
  void refuse_where(int call, std::size_t argument, std::span<const std::uint32_t> values) {
    const auto length = static_cast<std::uint8_t>(2 * values.size() + 2);
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, length), load(low_half_of(argument))});
    for (const std::uint32_t value : values) {
      add({jump(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), answer(refused_with(EPERM))});
    }
    add({answer(SECCOMP_RET_ALLOW)});
  }
  std::vector<sock_filter> code_;
};

// The first to go when memory runs out. Where it cannot be said, nothing is lost but that.
void stand_last_in_line() {
  const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score) [[maybe_unused]]
    const ssize_t written = ::write(score.get(), "1000", 4);
  ::setpriority(PRIO_PROCESS, 0, 10);
}

}  // namespace

Result<> limit_this_process(const ProcessLimits& limits) {
  stand_last_in_line();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return not_confined("parent's death");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return not_confined("no new privileges");
  const bool limited = limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CPU, limits.cpu_seconds) &&
                       limit(RLIMIT_NOFILE, limits.descriptors) &&
                       (kSanitized || limit(RLIMIT_AS, limits.memory_bytes));
  if (!limited) return not_confined("limits");
  return {};
}

Result<> confine_this_process() {
  if (kArchitecture == 0) {
    errno = ENOSYS;
    return not_confined("this processor");
  }
  if (!Filter().install()) return not_confined("seccomp");
  return {};
}

}  // namespace parley
