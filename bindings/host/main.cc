// The program: finds what belongs to it, makes the Lua state, and lets the standard library work.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "bindings/host/host.h"
#include "bindings/host/installation.h"
#include "bindings/host/signals.h"
#include "engine/core/error.h"

namespace {

constexpr int kExitError = 3;

int report(const qspec::Error& error) {
  std::fprintf(stderr, "qspec: error: %s\n", error.message().c_str());
  if (!error.where().empty()) std::fprintf(stderr, "  where: %s\n", error.where().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
  return kExitError;
}

// Every report is written and synced by now. Taking the state, and LibTorch with it, apart piece by
// piece would cost a tenth of a second for memory that the system takes back at once; only a
// sanitizer's search for leaks wants it done.
int leave(int code) {
  std::fflush(nullptr);
#ifndef __SANITIZE_ADDRESS__
  std::_Exit(code);
#endif
  return code;
}

int run(const std::vector<std::string>& words) {
  qspec::lua::Host host(qspec::lua::find_installation());
  return leave(host.run(words));
}

}  // namespace

int main(int argc, char** argv) {
  qspec::lua::handle_signals();
  try {
    return run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const qspec::Error& error) {
    return report(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qspec: fault: %s\n", error.what());
    return qspec::lua::Host::kExitInternal;
  }
}
