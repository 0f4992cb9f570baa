#include "engine/core/key_stack.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace qspec {
namespace {

// In the order of the bytes; a key that is shorter counts as followed by zeros.
uint64_t prefix_of(std::string_view key) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof prefix; ++i) {
    prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0);
  }
  return prefix;
}

}  // namespace

std::string_view KeyStack::text_of(const Key& key) const {
  return std::string_view(text_).substr(key.begin, key.size);
}

void KeyStack::add(std::string_view key, size_t place) {
  keys_.push_back({prefix_of(key), text_.size(), key.size(), place});
  text_ += key;
}

std::optional<KeyStack::Repetition> KeyStack::close() {
  const Object object = objects_.back();
  const std::span keys = std::span(keys_).subspan(object.first_key);
  std::sort(keys.begin(), keys.end(), [this](const Key& a, const Key& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return std::tuple(text_of(a), a.place) < std::tuple(text_of(b), b.place);
  });
  const auto first =
      std::adjacent_find(keys.begin(), keys.end(), [this](const Key& a, const Key& b) {
        return a.prefix == b.prefix && text_of(a) == text_of(b);
      });
  std::optional<Repetition> repetition;
  if (first != keys.end()) {
    repetition = {std::string(text_of(*first)), first->place, std::next(first)->place};
  }
  keys_.resize(object.first_key);
  text_.resize(object.text_begin);
  objects_.pop_back();
  return repetition;
}

}  // namespace qspec
