#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/pickle_names.h"

namespace qspec {

// A value that a pickle describes. Values live in PickleValues and refer to each other by number,
// so that none is destroyed or walked by recursion.
struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBoolean,
    kInteger,
    kNumber,
    kText,
    kTuple,
    kList,
    kDictionary,
    kOrderedDictionary,
    kName,
    kStorage,
    kTensor,
  };

  Kind kind = Kind::kNone;
  uint8_t depth = 0;    // of containers within it
  uint32_t place = 0;   // of the opcode that made it, within the pickle
  int64_t integer = 0;  // of kInteger and kBoolean
  uint32_t begin = 0;   // of kText, within the pickle; else the number in its own list
  uint32_t size = 0;    // of kText
};

// Elements of one dtype in the archive's member data/<key>.
struct PickleStorage {
  Dtype dtype{};
  std::string key;
  uint64_t elements = 0;
};

// A view of a storage; offset and strides count elements.
struct PickleTensor {
  uint32_t storage = 0;
  Dtype dtype{};
  uint64_t offset = 0;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;  // as many
};

struct PickleValues {
  std::string_view text;  // of the pickle
  std::vector<PickleValue> values;
  // Of containers: members in order; of dictionaries: key, value, key, value ...
  std::vector<std::vector<uint32_t>> members;
  std::vector<const PickleName*> names;
  std::vector<PickleStorage> storages;
  std::vector<PickleTensor> tensors;
  uint32_t root = 0;

  std::string_view text_of(const PickleValue& value) const {
    return text.substr(value.begin, value.size);
  }
  bool is_dictionary(const PickleValue& value) const {
    return value.kind == PickleValue::Kind::kDictionary ||
           value.kind == PickleValue::Kind::kOrderedDictionary;
  }
};

// What a value is, for errors: "a dictionary", "the text 'x'", "the whole number 7".
std::string described(const PickleValues& values, const PickleValue& value);

}  // namespace qspec
