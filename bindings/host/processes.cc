#include "bindings/host/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "engine/core/system_error.h"

namespace qspec::lua {
namespace {

constexpr int kCannotRun = 127;  // the shells' code for a program that cannot be run

// Becomes the program. Between fork and exec only what is safe in a signal handler is called: other
// threads of this process may have held any lock.
[[noreturn]] void become(char* const* words, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) _exit(kCannotRun);  // it died before that was set
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::execv(words[0], words);
  _exit(kCannotRun);
}

class Process {
 public:
  explicit Process(const std::vector<std::string>& command) {
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    std::array<int, 2> ends = {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("run", command.front(), errno);
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ == 0) become(words.data(), ends[1], parent);
    const int code = errno;
    ::close(ends[1]);
    output_ = ends[0];
    if (id_ > 0) return;
    ::close(output_);
    throw system_error("run", command.front(), code);
  }

  ~Process() {
    ::close(output_);
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    wait();
  }

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int output() const { return output_; }
  bool has_ended() const { return id_ <= 0; }

  // Takes what there is to read; waits for the end when that was all.
  void take(const std::function<void(std::string_view)>& on_line) {
    std::array<char, 1u << 16> bytes;
    const ssize_t count = ::read(output_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) return;
    if (count > 0) pending_.append(bytes.data(), static_cast<size_t>(count));
    for (size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      on_line(line);
    }
    if (count <= 0) wait();
  }

  Ended ended() const { return ended_; }

 private:
  void wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
    id_ = -1;
    ended_ = {WIFEXITED(status) ? WEXITSTATUS(status) : 0,
              WIFSIGNALED(status) ? WTERMSIG(status) : 0};
  }

  pid_t id_ = -1;  // -1 once it has ended
  int output_ = -1;
  std::string pending_;
  Ended ended_;
};

}  // namespace

std::vector<Ended> run_together(
    const std::vector<std::vector<std::string>>& commands,
    const std::function<void(size_t number, std::string_view line)>& on_line) {
  std::vector<std::unique_ptr<Process>> processes;
  for (const auto& command : commands) processes.push_back(std::make_unique<Process>(command));
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<size_t> numbers;
    for (size_t i = 0; i < processes.size(); ++i) {
      if (processes[i]->has_ended()) continue;
      waiting.push_back({processes[i]->output(), POLLIN, 0});
      numbers.push_back(i);
    }
    if (waiting.empty()) break;
    ::poll(waiting.data(), waiting.size(), -1);
    for (size_t k = 0; k < waiting.size(); ++k) {
      if (waiting[k].revents == 0) continue;
      const size_t number = numbers[k];
      processes[number]->take([&](std::string_view line) { on_line(number, line); });
    }
  }
  std::vector<Ended> ended;
  for (const auto& process : processes) ended.push_back(process->ended());
  return ended;
}

}  // namespace qspec::lua
