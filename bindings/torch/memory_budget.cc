#include "bindings/torch/memory_budget.h"

#include <algorithm>
#include <unordered_map>

namespace qspec::lua {
namespace {

constexpr int64_t kFirstBudget = int64_t{1} << 30;

struct Claim {
  int64_t bytes = 0;
  int64_t owners = 0;
};

struct Ledger {
  std::unordered_map<const void*, Claim> claims;
  int64_t held = 0;
  int64_t budget = kFirstBudget;
};

// Never destroyed: handles may be released while the process ends.
Ledger& ledger() {
  static Ledger& instance = *new Ledger;
  return instance;
}

}  // namespace

HeldBytes::HeldBytes(const void* key, int64_t bytes) : key_(bytes > 0 ? key : nullptr) {
  if (key_ == nullptr) return;
  Claim& claim = ledger().claims[key_];
  if (claim.owners++ > 0) return;
  claim.bytes = bytes;
  ledger().held += bytes;
}

HeldBytes::~HeldBytes() {
  if (key_ == nullptr) return;
  const auto found = ledger().claims.find(key_);
  if (--found->second.owners > 0) return;
  ledger().held -= found->second.bytes;
  ledger().claims.erase(found);
}

HeldBytes::HeldBytes(HeldBytes&& other) noexcept : key_(other.key_) {
  other.key_ = nullptr;
}

int64_t held_bytes() {
  return ledger().held;
}

void collect_over_budget(lua_State* L) {
  Ledger& books = ledger();
  if (books.held <= books.budget) return;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (books.held > books.budget / 5 * 4) {
    books.budget = std::max(books.budget, books.held / 5 * 7);
  }
}

}  // namespace qspec::lua
