#include "engine/checkpoint/pickle_values.h"

#include "engine/core/error.h"

namespace qspec {

std::string described(const PickleValues& values, const PickleValue& value) {
  using Kind = PickleValue::Kind;
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBoolean:
      return value.integer != 0 ? "True" : "False";
    case Kind::kInteger:
      return "the whole number " + std::to_string(value.integer);
    case Kind::kNumber:
      return "a number with a fraction";
    case Kind::kText:
      return "the text '" + printable(values.text_of(value)) + "'";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kDictionary:
    case Kind::kOrderedDictionary:
      return "a dictionary";
    case Kind::kName: {
      const PickleName& name = *values.names[value.begin];
      return std::string(name.module) + "." + std::string(name.name);
    }
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      break;
  }
  return "a tensor";
}

}  // namespace qspec
