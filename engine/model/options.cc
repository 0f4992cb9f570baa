#include "engine/model/options.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/model/did_you_mean.h"
#include "engine/model/shown.h"
#include "engine/model/token_batch.h"

namespace qspec {
namespace {

constexpr double kMostBytes = 1e15;
constexpr double kMostSeed = 4294967295.0;

[[noreturn]] void refuse(std::string_view name, const Json& found, const char* wanted) {
  throw Error(ErrorKind::kSpec,
              "option '" + std::string(name) + "' is " + shown(found) + ", wanted " + wanted);
}

void check_names(const Json& fields, const std::vector<std::string>& known) {
  for (const auto& [name, value] : fields.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw Error(ErrorKind::kSpec, "unknown option '" + printable(name) + "'")
        .hint(did_you_mean(name, known));
  }
}

// A whole number of 0 to `most`.
int64_t whole(const Json& fields, const char* name, double most, const char* wanted) {
  const Json& found = fields[name];
  const double value = found.is_number() ? found.get<double>() : -1;
  if (!(value >= 0 && value <= most) || value != std::floor(value)) refuse(name, found, wanted);
  return static_cast<int64_t>(value);
}

}  // namespace

BuildOptions parse_build_options(const Json& fields) {
  check_names(fields, {"dense_budget", "device"});
  BuildOptions options;
  if (fields.contains("dense_budget")) {
    const Json& found = fields["dense_budget"];
    const double bytes = found.is_number() ? found.get<double>() : -1;
    if (!(bytes >= 0 && bytes <= kMostBytes)) refuse("dense_budget", found, "a number of bytes");
    options.dense_budget = static_cast<int64_t>(bytes);
  }
  if (fields.contains("device")) {
    if (!fields["device"].is_string()) refuse("device", fields["device"], "the name of one");
    options.device = fields["device"].get<std::string>();
  }
  return options;
}

RunOptions parse_run_options(const Json& fields) {
  check_names(fields, {"taps", "last", "step", "random_rounding"});
  RunOptions options;
  const Json taps = fields.value("taps", Json::array());
  if (!taps.is_structured()) refuse("taps", taps, "a list of names");
  for (const Json& name : taps) {
    if (!name.is_string()) refuse("taps", fields["taps"], "a list of names");
    options.taps.insert(name.get<std::string>());
  }
  if (fields.contains("last")) {
    if (!fields["last"].is_boolean()) refuse("last", fields["last"], "true or false");
    options.last_position_only = fields["last"].get<bool>();
  }
  if (fields.contains("step")) {
    options.step = whole(fields, "step", static_cast<double>(kMaxTokens), "a number of tokens");
  }
  if (fields.contains("random_rounding")) {
    options.random_rounding =
        static_cast<uint64_t>(whole(fields, "random_rounding", kMostSeed, "a seed of 32 bits"));
  }
  return options;
}

}  // namespace qspec
