#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qspec {

// The keys of all objects that are open at one point of a text, the innermost last. Finds a key
// that occurs twice by sorting: no choice of keys makes that slow, as it would a hash table.
class KeyStack {
 public:
  struct Repetition {
    std::string key;
    size_t first_place;
    size_t second_place;
  };

  void open() { objects_.push_back({keys_.size(), text_.size()}); }
  void add(std::string_view key, size_t place);  // to the innermost object
  // Forgets the innermost object. Returns one of the keys that it held twice.
  std::optional<Repetition> close();

  size_t depth() const { return objects_.size(); }

 private:
  struct Key {
    uint64_t prefix;  // the first eight bytes, so that most comparisons end here
    size_t begin;     // within text_
    size_t size;
    size_t place;
  };
  struct Object {
    size_t first_key;
    size_t text_begin;
  };

  std::string_view text_of(const Key& key) const;

  std::string text_;  // the keys of all open objects, without separators
  std::vector<Key> keys_;
  std::vector<Object> objects_;
};

}  // namespace qspec
