#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/json.h"

namespace qspec {

// Receives the values of one JSON text in the order of the text. A handler that refuses a value
// throws an Error without a place: read_json_events adds the file and the byte of that value.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;

  virtual void on_null() = 0;
  virtual void on_boolean(bool value) = 0;
  virtual void on_integer(int64_t value) = 0;   // written with a minus sign
  virtual void on_natural(uint64_t value) = 0;  // written without one
  // A fraction, an exponent, or a whole number that 64 bits do not hold. `text` is how it is
  // written.
  virtual void on_number(double value, std::string_view text) = 0;
  virtual void on_string(std::string& value) = 0;  // may be moved from
  virtual void on_key(std::string& key) = 0;       // may be moved from
  virtual void on_start_object() = 0;
  virtual void on_end_object() = 0;
  virtual void on_start_array() = 0;
  virtual void on_end_array() = 0;
};

// A JSON text and where it stands, for the errors.
struct JsonText {
  std::string_view text;
  std::string_view file;
  uint64_t offset = 0;  // of the text's first byte within its file
};

// The strict front of parse_json (engine/core/json.h says what is refused) for readers that need
// no tree. A key is reported before its value. An object that holds a key twice is refused before
// its end is reported.
void read_json_events(const JsonText& source, const JsonLimits& limits, JsonEvents& events);

}  // namespace qspec
