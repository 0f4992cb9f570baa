#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/component.h"

namespace qspec {

// Tokens and their ids, both ways. The text of all tokens is one block: a vocabulary of 250,000
// loads in milliseconds.
class Vocabulary {
 public:
  // Of from's member "vocab": an object from token to id. Throws Error(kCheckpoint) for ids that
  // are no ids, that two tokens share, or that leave more room than tokens.
  explicit Vocabulary(const Component& from);
  // Of a list of [token, score], where the place in the list is the id. Throws likewise.
  static Vocabulary of_list(const Component& from);

  size_t size() const { return count_; }
  std::optional<int32_t> id_of(std::string_view token) const;
  // Calls `visit(token, id)` in the order of the ids.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (size_t id = 0; id < entries_.size(); ++id) {
      if (entries_[id].begin != kAbsent) {
        visit(token_at(static_cast<int32_t>(id)), static_cast<int32_t>(id));
      }
    }
  }
  // Valid as long as the vocabulary.
  std::optional<std::string_view> token_of(int32_t id) const;

 private:
  struct Entry {
    size_t begin = kAbsent;  // in text_
    uint32_t size = 0;
  };
  struct Slot {
    int32_t id = kFree;
    uint32_t hash = 0;  // spares a look at the text of most other tokens
  };
  static constexpr int32_t kFree = -1;
  static constexpr size_t kAbsent = SIZE_MAX;

  Vocabulary(size_t tokens, size_t ids);
  void add(const Component& from, std::string_view token, int32_t id);
  std::string_view token_at(int32_t id) const;
  // Where the token of this hash is in slots_, or would be.
  size_t slot_of(std::string_view token, uint32_t hash) const;

  size_t count_ = 0;
  std::string text_;
  std::vector<Entry> entries_;  // by id
  std::vector<Slot> slots_;     // open addressing
};

}  // namespace qspec
