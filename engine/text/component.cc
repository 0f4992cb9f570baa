#include "engine/text/component.h"

#include <limits>

#include "engine/core/nearest.h"

namespace qspec {

Component::Component(const Json& object, std::string file, std::string path)
    : json_(&object), file_(std::move(file)), path_(std::move(path)) {
  if (!json_->is_object()) {
    throw refusal(ErrorKind::kCheckpoint,
                  std::string("found ") + json_->type_name() + ", wanted an object");
  }
}

const Json* Component::find(std::string_view key) const {
  for (const auto& [name, value] : json_->get_ref<const Json::object_t&>()) {
    if (name == key) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

const Json& Component::member(std::string_view key) const {
  const Json* found = find(key);
  if (found == nullptr) {
    throw refusal(ErrorKind::kCheckpoint, "there is no '" + printable(key) + "'");
  }
  return *found;
}

std::string Component::path_of(std::string_view key) const {
  return path_ + (path_.empty() || key.empty() ? "" : ".") + printable(key);
}

Error Component::refusal(ErrorKind kind, std::string message, std::string_view key) const {
  const std::string path = path_of(key);
  return Error(kind, std::move(message))
      .at(printable_path(file_) + (path.empty() ? "" : ", " + path));
}

Error Component::unknown(std::string_view what, std::string_view name,
                         std::span<const std::string> known) const {
  Error error = refusal(ErrorKind::kUnsupported,
                        std::string(what) + " '" + printable(name) + "' is not known here", "type");
  if (const auto nearest = nearest_name(name, known)) {
    return error.hint("the nearest known is '" + *nearest + "'");
  }
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  return error.hint("known are " + list);
}

Error Component::wrong_type(std::string_view key, std::string_view wanted) const {
  return refusal(
      ErrorKind::kCheckpoint,
      std::string("found ") + member(key).type_name() + ", wanted " + std::string(wanted), key);
}

bool Component::has(std::string_view key) const {
  return find(key) != nullptr;
}

const std::string& Component::text(std::string_view key) const {
  const Json& value = member(key);
  if (!value.is_string()) throw wrong_type(key, "a string");
  return value.get_ref<const std::string&>();
}

std::string Component::text(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key) : std::string(fallback);
}

bool Component::boolean(std::string_view key) const {
  const Json& value = member(key);
  if (!value.is_boolean()) throw wrong_type(key, "true or false");
  return value.get<bool>();
}

bool Component::boolean(std::string_view key, bool fallback) const {
  return has(key) ? boolean(key) : fallback;
}

uint32_t Component::natural(std::string_view key) const {
  return static_cast<uint32_t>(token_id(key));
}

int32_t Component::token_id(std::string_view key) const {
  const std::optional<int32_t> id = token_id_of(member(key));
  if (!id) {
    throw refusal(ErrorKind::kCheckpoint,
                  "found " + printable(dump_json(member(key))) +
                      ", wanted a whole number from 0 to 2147483647",
                  key);
  }
  return *id;
}

const Json& Component::array(std::string_view key) const {
  const Json& value = member(key);
  if (!value.is_array()) throw wrong_type(key, "an array");
  return value;
}

Component Component::object(std::string_view key) const {
  return Component(member(key), file_, path_of(key));
}

std::vector<Component> Component::objects(std::string_view key) const {
  std::vector<Component> list;
  for (const Json& item : array(key)) {
    list.emplace_back(item, file_, path_of(key) + "[" + std::to_string(list.size()) + "]");
  }
  return list;
}

std::optional<int32_t> token_id_of(const Json& json) {
  constexpr uint64_t kLargest = std::numeric_limits<int32_t>::max();
  if (!json.is_number_integer()) return std::nullopt;
  // A negative number becomes one that is too large.
  if (json.get<uint64_t>() > kLargest) return std::nullopt;
  return static_cast<int32_t>(json.get<uint64_t>());
}

}  // namespace qspec
