#include "engine/checkpoint/zip_bytes.h"

#include <span>

#include "engine/core/error.h"
#include "engine/core/little_endian.h"

namespace qspec {

uint64_t zip_number(std::string_view record, size_t at, size_t bytes) {
  return little_endian(record.substr(at, bytes));
}

std::string read_zip_text(const ByteSource& source, uint64_t at, uint64_t bytes) {
  std::string text(bytes, '\0');
  source.read_at(at, std::as_writable_bytes(std::span(text)));
  return text;
}

void refuse_zip(const ByteSource& source, uint64_t byte, std::string message,
                std::string_view hint) {
  throw Error(ErrorKind::kCheckpoint, std::move(message))
      .at(printable_path(source.path()), byte)
      .hint(std::string(hint));
}

}  // namespace qspec
