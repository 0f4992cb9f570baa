#include "engine/model/shown.h"

#include "engine/core/error.h"

namespace qspec {

std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace qspec
