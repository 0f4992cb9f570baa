#include "engine/model/did_you_mean.h"

#include "engine/core/nearest.h"

namespace qspec {

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const auto near = nearest_name(name, known);
  return near ? "did you mean '" + *near + "'?" : "";
}

}  // namespace qspec
