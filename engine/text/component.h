#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/json.h"

namespace qspec {

// One object of tokenizer.json with the path that leads to it, so that every refusal names file and
// place: "tokenizer.json, pre_tokenizer.pretokenizers[1].pattern". A view: the Json outlives it.
//
// Getters throw Error(kCheckpoint) when the value is missing or of another type. A getter with a
// default takes null for missing.
class Component {
 public:
  Component(const Json& object, std::string file, std::string path);

  const Json& json() const { return *json_; }
  const std::string& file() const { return file_; }
  bool has(std::string_view key) const;  // and it is not null

  const std::string& text(std::string_view key) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  bool boolean(std::string_view key) const;
  bool boolean(std::string_view key, bool fallback) const;
  uint32_t natural(std::string_view key) const;
  int32_t token_id(std::string_view key) const;

  const Json& array(std::string_view key) const;
  Component object(std::string_view key) const;
  std::vector<Component> objects(std::string_view key) const;  // of an array

  // An Error at this component, or at its member `key`.
  Error refusal(ErrorKind kind, std::string message, std::string_view key = {}) const;
  // The same for a name that is none of `known`, with the nearest of them.
  Error unknown(std::string_view what, std::string_view name,
                std::span<const std::string> known) const;

 private:
  const Json* find(std::string_view key) const;
  const Json& member(std::string_view key) const;
  std::string path_of(std::string_view key) const;
  Error wrong_type(std::string_view key, std::string_view wanted) const;

  const Json* json_;
  std::string file_;
  std::string path_;
};

// A value that JSON may hold as an id: natural and at most 2^31 - 1.
std::optional<int32_t> token_id_of(const Json& json);

// One type of a family of components.
template <class Base>
struct ComponentType {
  std::string_view name;  // the value of "type"
  std::unique_ptr<const Base> (*make)(const Component&);
};

// The component that `from` describes. Throws Error(kUnsupported) when `types` has none of its
// type.
template <class Base>
std::unique_ptr<const Base> make_component(const Component& from, std::string_view family,
                                           std::span<const ComponentType<Base>> types) {
  const std::string& name = from.text("type");
  std::vector<std::string> known;
  for (const ComponentType<Base>& type : types) {
    if (type.name == name) return type.make(from);
    known.emplace_back(type.name);
  }
  throw from.unknown(family, name, known);
}

}  // namespace qspec
