#include "bindings/host/precompiled.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "bindings/host/chunk.h"
#include "engine/core/atomic_write.h"
#include "engine/core/error.h"
#include "engine/core/file.h"

namespace qspec::lua {
namespace {

constexpr const char* kFileName = "/stdlib.bytecode";
constexpr uint64_t kMostBytes = 64u << 20;

struct Record {
  uint64_t hash;
  uint64_t length;
};

// FNV-1a, 64 bits, over words of eight bytes and then the rest: it tells versions of our own files
// apart, which nobody makes collide on purpose.
uint64_t hash_of(std::string_view text) {
  constexpr uint64_t kPrime = 0x100000001B3;
  uint64_t hash = 0xCBF29CE484222325 ^ text.size();
  while (text.size() >= sizeof hash) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;
    text.remove_prefix(sizeof word);
  }
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash;
}

class Library {
 public:
  explicit Library(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return;
    bytes_ = read_text_file(path, kMostBytes);
    for (size_t at = 0; bytes_.size() - at >= sizeof(Record);) {
      Record record;
      std::memcpy(&record, bytes_.data() + at, sizeof record);
      at += sizeof record;
      if (record.length > bytes_.size() - at) break;
      chunks_[record.hash] = std::string_view(bytes_).substr(at, record.length);
      at += record.length;
    }
  }

  std::string_view find(std::string_view text) const {
    const auto found = chunks_.find(hash_of(text));
    return found == chunks_.end() ? std::string_view() : found->second;
  }

 private:
  std::string bytes_;
  std::unordered_map<uint64_t, std::string_view> chunks_;
};

int append(lua_State* /*L*/, const void* bytes, size_t size, void* target) {
  static_cast<std::string*>(target)->append(static_cast<const char*>(bytes), size);
  return 0;
}

std::string compiled(lua_State* L, const std::string& path, const std::string& name,
                     std::string_view text) {
  std::string bytecode;
  if (luaL_loadbufferx(L, text.data(), text.size(), name.c_str(), "t") != 0 ||
      lua_dump(L, append, &bytecode) != 0) {
    throw Error(ErrorKind::kInternal, lua_tostring(L, -1)).at(path);
  }
  lua_pop(L, 1);
  return bytecode;
}

}  // namespace

bool push_precompiled(lua_State* L, const std::string& folder, std::string_view text) {
  static const Library library(folder + kFileName);
  const std::string_view chunk = library.find(text);
  if (chunk.empty()) return false;
  if (luaL_loadbufferx(L, chunk.data(), chunk.size(), "=precompiled", "b") == 0) return true;
  lua_pop(L, 1);
  return false;
}

void precompile(const std::string& target, const std::string& root,
                const std::vector<std::string>& files) {
  lua_State* L = luaL_newstate();
  std::string bytes;
  for (const std::string& path : files) {
    const std::string text = read_text_file(path, kMaxChunkBytes);
    const std::string name = "@" + std::filesystem::path(path).lexically_relative(root).string();
    const std::string bytecode = compiled(L, path, name, text);
    const Record record = {hash_of(text), bytecode.size()};
    bytes.append(reinterpret_cast<const char*>(&record), sizeof record);
    bytes += bytecode;
  }
  lua_close(L);
  write_file_atomically(target, bytes);
}

}  // namespace qspec::lua
