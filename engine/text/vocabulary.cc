#include "engine/text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace qspec {
namespace {

uint32_t hash_of(std::string_view token) {
  return static_cast<uint32_t>(std::hash<std::string_view>()(token));
}

// Ids may leave gaps, but the table of ids must not be out of proportion to the file.
size_t most_ids(size_t tokens) {
  return 2 * tokens + 65536;
}

// One more than the highest id of an object from token to id.
size_t ids_needed(const Component& vocab) {
  size_t needed = 0;
  const size_t tokens = vocab.json().size();
  for (const auto& [token, value] : vocab.json().get_ref<const Json::object_t&>()) {
    const std::optional<int32_t> id = token_id_of(value);
    if (!id || static_cast<size_t>(*id) >= most_ids(tokens)) {
      throw vocab.refusal(ErrorKind::kCheckpoint,
                          "token '" + printable(token) + "' has id " + printable(dump_json(value)) +
                              ", wanted a whole number below " + std::to_string(most_ids(tokens)) +
                              " for " + std::to_string(tokens) + " tokens");
    }
    needed = std::max(needed, static_cast<size_t>(*id) + 1);
  }
  return needed;
}

}  // namespace

Vocabulary::Vocabulary(size_t tokens, size_t ids)
    : entries_(ids), slots_(std::bit_ceil(2 * tokens + 1)) {}

Vocabulary::Vocabulary(const Component& from)
    : Vocabulary(from.object("vocab").json().size(), ids_needed(from.object("vocab"))) {
  const Component vocab = from.object("vocab");
  for (const auto& [token, value] : vocab.json().get_ref<const Json::object_t&>()) {
    add(vocab, token, *token_id_of(value));
  }
}

Vocabulary Vocabulary::of_list(const Component& from) {
  const Json& list = from.array("vocab");
  Vocabulary vocabulary(list.size(), list.size());
  int32_t id = 0;
  for (const Json& item : list) {
    if (!item.is_array() || item.empty() || !item[0].is_string()) {
      throw from.refusal(ErrorKind::kCheckpoint,
                         "found " + printable(dump_json(item)) + ", wanted [token, score]",
                         "vocab[" + std::to_string(id) + "]");
    }
    vocabulary.add(from, item[0].get_ref<const std::string&>(), id++);
  }
  return vocabulary;
}

void Vocabulary::add(const Component& from, std::string_view token, int32_t id) {
  Entry& entry = entries_[static_cast<size_t>(id)];
  if (entry.begin != kAbsent) {
    throw from.refusal(ErrorKind::kCheckpoint, "tokens '" + printable(token_at(id)) + "' and '" +
                                                   printable(token) + "' both have id " +
                                                   std::to_string(id));
  }
  const uint32_t hash = hash_of(token);
  Slot& slot = slots_[slot_of(token, hash)];
  if (slot.id != kFree) {
    throw from.refusal(ErrorKind::kCheckpoint, "token '" + printable(token) + "' occurs twice");
  }
  slot = {id, hash};
  entry = {text_.size(), static_cast<uint32_t>(token.size())};
  text_ += token;
  ++count_;
}

std::string_view Vocabulary::token_at(int32_t id) const {
  const Entry& entry = entries_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(entry.begin, entry.size);
}

size_t Vocabulary::slot_of(std::string_view token, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& found = slots_[slot];
    if (found.id == kFree || (found.hash == hash && token_at(found.id) == token)) return slot;
  }
}

std::optional<int32_t> Vocabulary::id_of(std::string_view token) const {
  const int32_t id = slots_[slot_of(token, hash_of(token))].id;
  if (id == kFree) return std::nullopt;
  return id;
}

std::optional<std::string_view> Vocabulary::token_of(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= entries_.size()) return std::nullopt;
  if (entries_[static_cast<size_t>(id)].begin == kAbsent) return std::nullopt;
  return token_at(id);
}

}  // namespace qspec
