#include "engine/core/json.h"

#include <cmath>
#include <utility>
#include <vector>

#include "engine/core/json_events.h"

namespace qspec {
namespace {

// Containers stay in `open_` until they are complete: no pointer into a growing parent is kept.
class TreeBuilder final : public JsonEvents {
 public:
  void on_null() override { put(nullptr); }
  void on_boolean(bool value) override { put(value); }
  void on_integer(int64_t value) override { put(value); }
  void on_natural(uint64_t value) override { put(value); }
  void on_number(double value, std::string_view) override { put(value); }
  void on_string(std::string& value) override { put(std::move(value)); }
  void on_key(std::string& key) override { open_.back().key = std::move(key); }
  void on_start_object() override { open_.push_back({Json::object(), {}}); }
  void on_end_object() override { close(); }
  void on_start_array() override { open_.push_back({Json::array(), {}}); }
  void on_end_array() override { close(); }

  Json take() { return std::move(root_); }

 private:
  struct Container {
    Json value;
    std::string key;  // of the member that comes next
  };

  void put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.is_array()) {
      open_.back().value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      // ordered_map::emplace looks every key up linearly, and keys are known to differ here.
      Json::object_t::Container& members = open_.back().value.get_ref<Json::object_t&>();
      members.emplace_back(std::move(open_.back().key), std::move(value));
    }
  }

  void close() {
    Json complete = std::move(open_.back().value);
    open_.pop_back();
    put(std::move(complete));
  }

  std::vector<Container> open_;
  Json root_;
};

bool holds_non_finite(const Json& json) {
  if (json.is_number_float()) return !std::isfinite(json.get_ref<const double&>());
  for (const Json& child : json) {
    if (child.is_structured() || child.is_number_float()) {
      if (holds_non_finite(child)) return true;
    }
  }
  return false;
}

void name_non_finite(Json& json) {
  if (json.is_number_float()) {
    const double value = json.get_ref<const double&>();
    if (std::isnan(value)) {
      json = "NaN";
    } else if (std::isinf(value)) {
      json = value > 0 ? "Infinity" : "-Infinity";
    }
  } else if (json.is_structured()) {
    for (Json& child : json) name_non_finite(child);
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view file, const JsonLimits& limits) {
  TreeBuilder builder;
  read_json_events({text, file}, limits, builder);
  return builder.take();
}

std::string dump_json(const Json& json, int indent) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  if (!holds_non_finite(json)) return json.dump(indent, ' ', false, kReplace);
  Json named = json;
  name_non_finite(named);
  return named.dump(indent, ' ', false, kReplace);
}

}  // namespace qspec
