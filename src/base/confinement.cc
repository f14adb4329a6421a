#include "base/confinement.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
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
    SYS_sched_setscheduler,
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
constexpr std::size_t kLowHalfOfFirstArgument = offsetof(seccomp_data, args);  // both architectures are little-endian

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
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4), load(kLowHalfOfFirstArgument),
         jump(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1), answer(SECCOMP_RET_ALLOW), answer(refused_with(EPERM))});
    // abort() signals itself; limits may be read and lowered, its own.
    const auto self = static_cast<std::uint32_t>(::getpid());
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4), load(kLowHalfOfFirstArgument),
         jump(BPF_JMP | BPF_JEQ | BPF_K, self, 0, 1), answer(SECCOMP_RET_ALLOW), answer(refused_with(EPERM))});
    add({jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 4), load(kLowHalfOfFirstArgument),
         jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), answer(SECCOMP_RET_ALLOW), answer(refused_with(EPERM))});
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
