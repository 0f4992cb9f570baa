#include "engine/checkpoint/gguf_split.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "engine/core/error.h"

namespace qspec {
namespace {

constexpr size_t kDigits = 5;
constexpr std::string_view kOf = "-of-";
constexpr std::string_view kEnding = ".gguf";
constexpr size_t kTailBytes = 1 + kDigits + kOf.size() + kDigits + kEnding.size();

std::optional<uint64_t> number_of(std::string_view digits) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || end != digits.end()) return std::nullopt;
  return number;
}

std::string five_digits(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits;
}

[[noreturn]] void refuse(const CheckpointFile& file, std::string message, std::string hint = "") {
  throw Error(ErrorKind::kCheckpoint, std::move(message))
      .at(printable_path(file.path))
      .hint(std::move(hint));
}

// Such numbers are u16 or i32, as different writers have it.
uint64_t natural(const CheckpointFile& file, std::string_view key) {
  const MetadataEntry* entry = find_metadata(file.values, key);
  if (entry == nullptr) {
    refuse(file, "there is no " + std::string(key) + ", which a part of a split file has",
           "a file that is whole has a name without -of-");
  }
  if (const auto* number = std::get_if<uint64_t>(&entry->value)) return *number;
  const auto* number = std::get_if<int64_t>(&entry->value);
  if (number == nullptr || *number < 0) {
    refuse(file, std::string(key) + " is no natural number");
  }
  return static_cast<uint64_t>(*number);
}

void check_number(const CheckpointFile& file, std::string_view key, uint64_t wanted) {
  const uint64_t found = natural(file, key);
  if (found == wanted) return;
  refuse(file,
         std::string(key) + " is " + std::to_string(found) + ", need " + std::to_string(wanted),
         "parts of different models, or renamed ones");
}

}  // namespace

std::vector<std::string> gguf_parts(const std::string& name) {
  if (name.size() <= kTailBytes) return {};
  const std::string_view tail = std::string_view(name).substr(name.size() - kTailBytes);
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf || !tail.ends_with(kEnding)) {
    return {};
  }
  const auto count = number_of(tail.substr(1 + kDigits + kOf.size(), kDigits));
  if (!number_of(tail.substr(1, kDigits)) || !count) return {};
  std::vector<std::string> parts;
  for (uint64_t i = 1; i <= *count; ++i) {
    parts.push_back(name.substr(0, name.size() - kTailBytes + 1) + five_digits(i) +
                    name.substr(name.size() - kTailBytes + 1 + kDigits));
  }
  return parts;
}

void check_gguf_split(const std::vector<CheckpointFile>& files,
                      const std::vector<TensorEntry>& tensors) {
  for (size_t i = 0; i < files.size(); ++i) {
    check_number(files[i], "split.no", i);
    check_number(files[i], "split.count", files.size());
    check_number(files[i], "split.tensors.count", tensors.size());
  }
  std::unordered_map<std::string_view, uint32_t> seen;
  for (const TensorEntry& entry : tensors) {
    const auto [known, is_new] = seen.emplace(entry.name, entry.file);
    if (is_new) continue;
    refuse(files[entry.file], "tensor '" + printable(entry.name) + "' is in " +
                                  printable_path(files[known->second].path) + " too");
  }
}

}  // namespace qspec
