#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/byte_source.h"

namespace qspec {

// `bytes` bytes of a record as a number, least significant first.
uint64_t zip_number(std::string_view record, size_t at, size_t bytes);

std::string read_zip_text(const ByteSource& source, uint64_t at, uint64_t bytes);

[[noreturn]] void refuse_zip(const ByteSource& source, uint64_t byte, std::string message,
                             std::string_view hint = "");

}  // namespace qspec
