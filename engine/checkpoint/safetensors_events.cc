#include "engine/checkpoint/safetensors_events.h"

#include <algorithm>
#include <utility>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/tensor_size.h"
#include "engine/core/error.h"
#include "engine/core/nearest.h"

namespace qspec {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

std::string in_quotes(std::string_view name) {
  return "'" + printable(name) + "'";
}

[[noreturn]] void refuse_entry(const std::string& name, const std::string& reason) {
  throw Error(ErrorKind::kCheckpoint, "tensor " + in_quotes(name) + " " + reason);
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    if (!is_ggml_block(dtype)) names.emplace_back(info(dtype).stored_name);
  }
  return names;
}

[[noreturn]] void refuse_dtype(const std::string& tensor, const std::string& name) {
  const std::vector<std::string> known = dtype_names();
  std::string list;
  for (const std::string& dtype : known) list += (list.empty() ? "" : ", ") + dtype;
  const std::optional<std::string> near = nearest_name(name, known);
  throw Error(ErrorKind::kUnsupported, "tensor " + in_quotes(tensor) + " has the unknown dtype " +
                                           in_quotes(name) + ", need one of " + list)
      .hint(near ? "did you mean " + *near + "?" : "");
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string SafetensorsEvents::subject() const {
  const std::string tensor = "tensor " + in_quotes(key_);
  switch (place_) {
    case Place::kOutside:
    case Place::kHeader:
      return key_ == kMetadataKey ? key_ : tensor;
    case Place::kMetadata:
      return "the value of " + in_quotes(entry_) + " in " + std::string(kMetadataKey);
    case Place::kShape:
      return "a dimension of " + tensor;
    case Place::kOffsets:
      return "an offset of " + tensor;
    case Place::kTensor:
      break;
  }
  return std::string(field_ == Field::kDtype   ? "dtype"
                     : field_ == Field::kShape ? "shape"
                                               : "data_offsets") +
         " of " + tensor;
}

std::string_view SafetensorsEvents::wanted() const {
  switch (place_) {
    case Place::kOutside:
    case Place::kHeader:
      return "an object";
    case Place::kMetadata:
      return "a string";
    case Place::kShape:
    case Place::kOffsets:
      return "a whole number from 0 to 2^64-1";
    case Place::kTensor:
      break;
  }
  return field_ == Field::kDtype ? "a string" : "a list of whole numbers";
}

void SafetensorsEvents::refuse(std::string_view found) const {
  throw Error(ErrorKind::kCheckpoint,
              subject() + " is " + std::string(found) + ", need " + std::string(wanted()));
}

void SafetensorsEvents::on_integer(int64_t value) {
  refuse(value == 0 ? "-0" : std::to_string(value));
}

void SafetensorsEvents::on_number(double, std::string_view text) {
  refuse(printable(text) + (is_digits(text) ? ", more than 64 bits hold" : ", not whole"));
}

void SafetensorsEvents::on_natural(uint64_t value) {
  if (place_ == Place::kShape) {
    if (shape_->size() == kMaxRank) {
      throw Error(ErrorKind::kUnsupported, "tensor " + in_quotes(key_) + " has more than " +
                                               std::to_string(kMaxRank) + " dimensions");
    }
    shape_->push_back(value);
  } else if (place_ == Place::kOffsets) {
    if (offsets_->size() == 2) refuse_entry(key_, "has more than two data_offsets");
    offsets_->push_back(value);
  } else {
    refuse("the number " + std::to_string(value));
  }
}

void SafetensorsEvents::on_string(std::string& value) {
  if (place_ == Place::kMetadata) {
    metadata_.emplace(std::move(entry_), std::move(value));
  } else if (place_ == Place::kTensor && field_ == Field::kDtype) {
    set_dtype(value);
  } else {
    refuse("the string " + in_quotes(value));
  }
}

void SafetensorsEvents::set_dtype(const std::string& name) {
  dtype_ = dtype_of_stored_name(name);
  if (!dtype_ || is_ggml_block(*dtype_)) refuse_dtype(key_, name);
}

void SafetensorsEvents::on_key(std::string& key) {
  if (place_ == Place::kHeader) {
    begin_entry(key);
  } else if (place_ == Place::kTensor) {
    begin_field(key);
  } else {
    if (metadata_.size() == kMaxMetadataKeys) {
      throw Error(ErrorKind::kCheckpoint, std::string(kMetadataKey) + " has more than " +
                                              std::to_string(kMaxMetadataKeys) + " keys");
    }
    entry_ = std::move(key);
  }
}

void SafetensorsEvents::begin_entry(std::string& name) {
  key_ = std::move(name);
  if (key_ == kMetadataKey) return;
  if (key_.empty()) throw Error(ErrorKind::kCheckpoint, "a tensor has an empty name");
  if (key_.size() > kMaxNameBytes) {
    refuse_entry(key_, "has a name of " + std::to_string(key_.size()) + " bytes, the limit is " +
                           std::to_string(kMaxNameBytes));
  }
  if (key_.find('\0') != std::string::npos) refuse_entry(key_, "has a NUL in its name");
  if (tensors_.size() == kMaxTensors) {
    throw Error(ErrorKind::kCheckpoint,
                "more than " + std::to_string(kMaxTensors) + " tensors in one file");
  }
  dtype_.reset();
  shape_.reset();
  offsets_.reset();
}

void SafetensorsEvents::begin_field(const std::string& name) {
  if (name == "dtype") {
    field_ = Field::kDtype;
  } else if (name == "shape") {
    field_ = Field::kShape;
  } else if (name == "data_offsets") {
    field_ = Field::kOffsets;
  } else {
    refuse_entry(key_, "has the unknown field " + in_quotes(name) +
                           ", need only dtype, shape and data_offsets");
  }
}

void SafetensorsEvents::on_start_object() {
  if (place_ == Place::kOutside) {
    place_ = Place::kHeader;
  } else if (place_ == Place::kHeader) {
    place_ = key_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
  } else {
    refuse("an object");
  }
}

void SafetensorsEvents::on_end_object() {
  if (place_ == Place::kTensor) finish_entry();
  place_ = place_ == Place::kHeader ? Place::kOutside : Place::kHeader;
}

void SafetensorsEvents::on_start_array() {
  if (place_ != Place::kTensor || field_ == Field::kDtype) refuse("a list");
  place_ = field_ == Field::kShape ? Place::kShape : Place::kOffsets;
  (field_ == Field::kShape ? shape_ : offsets_).emplace();
}

void SafetensorsEvents::on_end_array() {
  if (place_ == Place::kOffsets && offsets_->size() != 2) {
    refuse_entry(key_, "has " + std::to_string(offsets_->size()) + " data_offsets, need two");
  }
  place_ = Place::kTensor;
}

void SafetensorsEvents::finish_entry() {
  if (!dtype_) refuse_entry(key_, "has no dtype");
  if (!shape_) refuse_entry(key_, "has no shape");
  if (!offsets_) refuse_entry(key_, "has no data_offsets");
  const uint64_t begin = offsets_->at(0);
  const uint64_t end = offsets_->at(1);
  if (end < begin) {
    refuse_entry(key_, "ends at data byte " + std::to_string(end) + ", before it begins at " +
                           std::to_string(begin));
  }
  const uint64_t bytes = stored_bytes(key_, *dtype_, *shape_);
  if (end - begin != bytes) {
    refuse_entry(key_, "has data_offsets for " + std::to_string(end - begin) +
                           " bytes, its dtype and shape give " + std::to_string(bytes));
  }
  tensors_.push_back({std::move(key_), *dtype_, std::move(*shape_), bytes, begin, 0});
}

}  // namespace qspec
