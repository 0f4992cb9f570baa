#include "bindings/host/pattern_cache.h"

#include <array>
#include <functional>
#include <string>

namespace qspec::lua {
namespace {

constexpr size_t kSlots = 256;
constexpr size_t kLongestKept = 64;  // bytes of text; an item of a pattern takes forty

struct Slot {
  std::string text;
  bool caret_is_plain = false;
  std::shared_ptr<const Pattern> pattern;
};

// A state of Lua and all that it calls run on one thread.
thread_local std::array<Slot, kSlots> slots;

}  // namespace

std::shared_ptr<const Pattern> compiled_pattern(std::string_view text, bool caret_is_plain) {
  if (text.size() > kLongestKept) return std::make_shared<const Pattern>(text, caret_is_plain);
  const size_t hash = std::hash<std::string_view>()(text) + (caret_is_plain ? 1 : 0);
  Slot& slot = slots[hash % kSlots];
  if (slot.pattern == nullptr || slot.caret_is_plain != caret_is_plain || slot.text != text) {
    slot = {std::string(text), caret_is_plain,
            std::make_shared<const Pattern>(text, caret_is_plain)};
  }
  return slot.pattern;
}

}  // namespace qspec::lua
