#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/zip_bytes.h"

namespace qspec::test {

// Pickles in the opcodes that torch.save uses.

inline constexpr std::string_view kPickleBegin = "\x80\x02";

inline std::string pickled_text(std::string_view text) {
  return "X" + little(text.size(), 4) + std::string(text);
}

inline std::string pickled_integer(uint64_t value) {
  return "J" + little(value, 4);
}

inline std::string pickled_name(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

inline std::string pickled_tuple(const std::vector<uint64_t>& values) {
  std::string text = "(";
  for (const uint64_t value : values) text += pickled_integer(value);
  return text + "t";
}

inline std::string pickled_storage(std::string_view type, std::string_view key, uint64_t elements) {
  return "(" + pickled_text("storage") + pickled_name("torch", type) + pickled_text(key) +
         pickled_text("cpu") + pickled_integer(elements) + "tQ";
}

inline const std::string kNoHooks = pickled_name("collections", "OrderedDict") + ")R";

inline std::string pickled_tensor(const std::string& storage, uint64_t offset,
                                  const std::vector<uint64_t>& shape,
                                  const std::vector<uint64_t>& strides) {
  return pickled_name("torch._utils", "_rebuild_tensor_v2") + "(" + storage +
         pickled_integer(offset) + pickled_tuple(shape) + pickled_tuple(strides) + "\x89" +
         kNoHooks + "tR";
}

// A whole pickle: a dictionary of members, each key and value as above.
inline std::string pickled_dictionary(std::string_view members) {
  return std::string(kPickleBegin) + "}(" + std::string(members) + "u.";
}

// An archive as torch.save writes it, in the folder "m".
inline std::string torch_archive(const std::string& pickle,
                                 const std::vector<std::string>& storages, bool wide = false) {
  std::vector<ZipPart> parts = {with_descriptor("m/data.pkl", pickle),
                                with_descriptor("m/byteorder", "little")};
  for (size_t i = 0; i < storages.size(); ++i) {
    parts.push_back(with_descriptor("m/data/" + std::to_string(i), storages[i], wide ? 8 : 4));
  }
  parts.push_back(with_descriptor("m/version", "3\n"));
  return zip(parts, wide);
}

}  // namespace qspec::test
