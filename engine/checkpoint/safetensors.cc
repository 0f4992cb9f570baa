#include "engine/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "engine/checkpoint/safetensors_events.h"
#include "engine/checkpoint/signature.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

constexpr uint64_t kLengthBytes = 8;

[[noreturn]] void refuse(const ByteSource& source, uint64_t byte, std::string message,
                         std::string_view hint = "") {
  throw Error(ErrorKind::kCheckpoint, std::move(message))
      .at(printable_path(source.path()), byte)
      .hint(std::string(hint));
}

std::string first_bytes(const ByteSource& source) {
  std::string bytes(std::min<uint64_t>(source.size(), 64), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = kLengthBytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < kLengthBytes; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The hint for a length that cannot be: another kind of file, or another byte order.
std::string_view length_hint(const ByteSource& source, std::string_view bytes) {
  const std::string_view foreign = foreign_file_hint(bytes);
  if (!foreign.empty()) return foreign;
  const bool is_swapped = big_endian(bytes) <= source.size() - kLengthBytes;
  return is_swapped ? "the length would fit in the other byte order; need little-endian" : "";
}

uint64_t read_header_length(const ByteSource& source) {
  const std::string bytes = first_bytes(source);
  if (bytes.size() < kLengthBytes) {
    refuse(source, 0, "file has " + std::to_string(bytes.size()) + " bytes, need at least 8",
           bytes.empty() ? "the download did not start?" : foreign_file_hint(bytes));
  }
  const uint64_t length = little_endian(bytes);
  if (length > kMaxHeaderBytes) {
    refuse(source, 0,
           "header length is " + std::to_string(length) + " bytes, the limit is " +
               std::to_string(kMaxHeaderBytes) + "; the file begins with '" +
               printable(std::string_view(bytes).substr(0, 16)) + "'",
           length_hint(source, bytes));
  }
  if (length > source.size() - kLengthBytes) {
    const std::string_view foreign = foreign_file_hint(bytes);
    refuse(source, 0,
           "header ends at byte " + std::to_string(kLengthBytes + length) + ", the file has " +
               std::to_string(source.size()),
           foreign.empty() ? "the file is cut off: download it again" : foreign);
  }
  if (length == 0) refuse(source, 0, "header is empty, need a JSON object");
  return length;
}

std::string read_header_text(const ByteSource& source, uint64_t length) {
  std::string text(length, '\0');
  source.read_at(kLengthBytes, std::as_writable_bytes(std::span(text)));
  if (text[0] != '{') {
    refuse(source, kLengthBytes,
           "header begins with '" + printable(text.substr(0, 1)) + "', need '{'");
  }
  return text;
}

// Tensors must follow each other without a hole, from the end of the header to the end of the
// file: room that nobody describes could hold another file.
class LayoutCheck {
 public:
  LayoutCheck(const ByteSource& source, const FileHeader& header)
      : source_(source), header_(header) {}

  void run() const {
    uint64_t expected = header_.bytes;
    const TensorEntry* earlier = nullptr;
    for (const TensorEntry& entry : header_.tensors) {
      if (earlier != nullptr && entry.offset < expected) refuse_overlap(entry, *earlier);
      if (entry.offset > expected) refuse_hole(entry, expected);
      expected = entry.offset + entry.bytes;
      if (expected > source_.size()) refuse_cut(entry);
      earlier = &entry;
    }
    if (expected < source_.size()) refuse_rest(expected);
  }

 private:
  [[noreturn]] void refuse_overlap(const TensorEntry& entry, const TensorEntry& earlier) const {
    refuse(source_, entry.offset,
           "tensor '" + printable(entry.name) + "' begins at byte " + std::to_string(entry.offset) +
               ", tensor '" + printable(earlier.name) + "' ends at " +
               std::to_string(earlier.offset + earlier.bytes) + ": they overlap");
  }

  [[noreturn]] void refuse_hole(const TensorEntry& entry, uint64_t expected) const {
    refuse(source_, expected,
           "hole before tensor '" + printable(entry.name) + "': bytes " + std::to_string(expected) +
               " to " + std::to_string(entry.offset) + " belong to no tensor");
  }

  [[noreturn]] void refuse_cut(const TensorEntry& entry) const {
    const TensorEntry& last = header_.tensors.back();
    refuse(source_, source_.size(),
           "file has " + std::to_string(source_.size()) + " bytes, its header describes " +
               std::to_string(last.offset + last.bytes) + ": tensor '" + printable(entry.name) +
               "' is cut off",
           "the download or copy stopped early: fetch the file again");
  }

  [[noreturn]] void refuse_rest(uint64_t expected) const {
    refuse(source_, expected,
           "bytes " + std::to_string(expected) + " to " + std::to_string(source_.size()) +
               " at the end of the file belong to no tensor");
  }

  const ByteSource& source_;
  const FileHeader& header_;
};

void place_in_file(const ByteSource& source, FileHeader& header) {
  for (TensorEntry& entry : header.tensors) {
    const uint64_t begin = entry.offset;
    uint64_t end = 0;
    if (__builtin_add_overflow(begin + entry.bytes, header.bytes, &end)) {
      refuse(source, kLengthBytes,
             "tensor '" + printable(entry.name) + "' begins at data byte " + std::to_string(begin) +
                 ", the file has " + std::to_string(source.size()) + " bytes");
    }
    entry.offset = begin + header.bytes;
  }
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) {
              return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
            });
}

}  // namespace

FileHeader read_safetensors_header(const ByteSource& source) {
  const uint64_t length = read_header_length(source);
  const std::string text = read_header_text(source, length);
  SafetensorsEvents events;
  JsonLimits limits;
  limits.depth = 4;         // one more than any header, so that the reader says what is wrong there
  limits.nodes = SIZE_MAX;  // no tree is built
  read_json_events({text, source.path(), kLengthBytes}, limits, events);

  FileHeader header;
  header.bytes = kLengthBytes + length;
  header.metadata = events.take_metadata();
  header.tensors = events.take_tensors();
  place_in_file(source, header);
  LayoutCheck(source, header).run();
  return header;
}

}  // namespace qspec
