#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/core/json_events.h"

namespace qspec {

// Turns the events of a safetensors header into entries, one at a time and without a tree: a
// header of 100 MB costs little more than its names. What an entry says of itself is checked here;
// how entries lie beside each other, in safetensors.cc.
class SafetensorsEvents final : public JsonEvents {
 public:
  // In the order of the text; `offset` counts from the start of the data.
  std::vector<TensorEntry> take_tensors() { return std::move(tensors_); }
  std::map<std::string, std::string> take_metadata() { return std::move(metadata_); }

  void on_null() override { refuse("null"); }
  void on_boolean(bool value) override { refuse(value ? "true" : "false"); }
  void on_integer(int64_t value) override;
  void on_natural(uint64_t value) override;
  void on_number(double value, std::string_view text) override;
  void on_string(std::string& value) override;
  void on_key(std::string& key) override;
  void on_start_object() override;
  void on_end_object() override;
  void on_start_array() override;
  void on_end_array() override;

 private:
  enum class Place { kOutside, kHeader, kMetadata, kTensor, kShape, kOffsets };
  enum class Field { kDtype, kShape, kOffsets };

  // The value at the current place is `found`, which is not what belongs there.
  [[noreturn]] void refuse(std::string_view found) const;
  std::string subject() const;
  std::string_view wanted() const;

  void begin_entry(std::string& name);
  void begin_field(const std::string& name);
  void set_dtype(const std::string& name);
  void finish_entry();

  Place place_ = Place::kOutside;
  Field field_ = Field::kDtype;
  std::string key_;    // the tensor's name, or "__metadata__"
  std::string entry_;  // the metadata key
  std::optional<Dtype> dtype_;
  std::optional<std::vector<uint64_t>> shape_;
  std::optional<std::vector<uint64_t>> offsets_;
  std::vector<TensorEntry> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace qspec
