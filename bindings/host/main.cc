// The program: finds what belongs to it, makes the Lua state, and lets the standard library work.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "bindings/host/host.h"
#include "bindings/host/installation.h"
#include "bindings/host/signals.h"
#include "bindings/host/torch_loader.h"
#include "engine/core/error.h"

namespace {

constexpr int kExitError = 3;

int report(const qspec::Error& error) {
  std::fprintf(stderr, "qspec: error: %s\n", error.message().c_str());
  if (!error.where().empty()) std::fprintf(stderr, "  where: %s\n", error.where().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
  return kExitError;
}

// LibTorch takes 0.1 s to tear itself down. By now the state is closed and every report is written.
int leave(int code) {
  std::fflush(nullptr);
  if (qspec::lua::torch_is_mapped()) std::_Exit(code);
  return code;
}

int run(const std::vector<std::string>& words) {
  qspec::lua::Host host(qspec::lua::find_installation());
  return host.run(words);
}

}  // namespace

int main(int argc, char** argv) {
  qspec::lua::handle_signals();
  try {
    return leave(run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc)));
  } catch (const qspec::Error& error) {
    return report(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qspec: fault: %s\n", error.what());
    return qspec::lua::Host::kExitInternal;
  }
}
