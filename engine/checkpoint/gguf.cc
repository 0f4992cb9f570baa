#include "engine/checkpoint/gguf.h"

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>

#include "engine/checkpoint/gguf_metadata.h"
#include "engine/checkpoint/gguf_types.h"
#include "engine/checkpoint/signature.h"
#include "engine/checkpoint/tensor_size.h"
#include "engine/core/error.h"
#include "engine/core/utf8.h"

namespace qspec {
namespace {

constexpr uint64_t kHeaderBytes = 24;
constexpr uint64_t kDefaultAlignment = 32;

// A name's length, the number of dimensions, one of them, the type and the offset.
constexpr uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;

[[noreturn]] void refuse(const ByteSource& source, uint64_t byte, std::string message,
                         std::string hint = "", ErrorKind kind = ErrorKind::kCheckpoint) {
  throw Error(kind, std::move(message))
      .at(printable_path(source.path()), byte)
      .hint(std::move(hint));
}

std::string quoted(const std::string& name) {
  return "tensor '" + printable(name) + "'";
}

uint64_t byte_swapped(uint64_t version) {
  return __builtin_bswap32(static_cast<uint32_t>(version));
}

void check_magic(ByteCursor& cursor) {
  const ByteSource& source = cursor.source();
  if (source.size() < kHeaderBytes) {
    refuse(source, 0, "file has " + std::to_string(source.size()) + " bytes, need at least 24",
           "the download or copy stopped early: fetch the file again");
  }
  const std::string magic(cursor.take(4, "the magic"));
  if (magic == "GGUF") return;
  const bool is_old = magic == "lmgg" || magic == "fmgg" || magic == "tjgg" || magic == "GGML" ||
                      magic == "GGMF" || magic == "GGJT" || magic == "algg";
  const std::string message = "file begins with '" + printable(magic) + "', need 'GGUF'";
  if (is_old) {
    refuse(source, 0, message, "this is a file of before GGUF: convert the model anew",
           ErrorKind::kUnsupported);
  }
  std::string first(std::min<uint64_t>(source.size(), 64), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(first)));
  refuse(source, 0, message, std::string(foreign_file_hint(first)));
}

void check_version(ByteCursor& cursor) {
  const uint64_t version = cursor.take_natural(4, "the version");
  if (version == 2 || version == 3) return;
  if (byte_swapped(version) == 2 || byte_swapped(version) == 3) {
    refuse(cursor.source(), 4, "the file is big-endian, need little-endian",
           "convert it: gguf-convert-endian of the package gguf does", ErrorKind::kUnsupported);
  }
  refuse(cursor.source(), 4, "GGUF version is " + std::to_string(version) + ", need 2 or 3", "",
         ErrorKind::kUnsupported);
}

uint64_t alignment_of(const ByteSource& source, const std::vector<MetadataEntry>& metadata) {
  const MetadataEntry* entry = find_metadata(metadata, "general.alignment");
  if (entry == nullptr) return kDefaultAlignment;
  if (entry->type != MetadataType::kU32) {
    refuse(source, entry->offset,
           "general.alignment is of type " + std::string(info(entry->type).name) + ", need u32");
  }
  const uint64_t alignment = std::get<uint64_t>(entry->value);
  if (!std::has_single_bit(alignment) || alignment > kMaxGgufAlignment) {
    refuse(source, entry->offset,
           "general.alignment is " + std::to_string(alignment) + ", need a power of two up to " +
               std::to_string(kMaxGgufAlignment));
  }
  return alignment;
}

// `alignment` is a power of two; nothing near the end of 64 bits comes here.
uint64_t padded(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

class TensorInfoReader {
 public:
  explicit TensorInfoReader(ByteCursor& cursor) : cursor_(cursor) {}

  // With the offset within the data.
  TensorEntry read() {
    begin_ = cursor_.position();
    TensorEntry entry;
    entry.name = take_name();
    entry.shape = take_shape(entry.name);
    entry.dtype = take_dtype(entry);
    entry.offset = cursor_.take_natural(8, "the offset of " + quoted(entry.name));
    entry.bytes = bytes_of(entry);
    return entry;
  }

 private:
  std::string take_name() {
    std::string name(take_gguf_string(cursor_, kMaxGgufNameBytes, "a tensor's name"));
    if (name.empty()) refuse(cursor_.source(), begin_, "a tensor has an empty name");
    if (name.find('\0') != name.npos) {
      refuse(cursor_.source(), begin_, quoted(name) + " has a NUL in its name");
    }
    if (!is_utf8(name)) {
      refuse(cursor_.source(), begin_, quoted(name) + " has a name that is not UTF-8");
    }
    if (!seen_.insert(name).second) {
      refuse(cursor_.source(), begin_, quoted(name) + " is described twice");
    }
    return name;
  }

  std::vector<uint64_t> take_shape(const std::string& name) {
    const uint64_t rank = cursor_.take_natural(4, "the dimensions of " + quoted(name));
    if (rank > kMaxGgufDimensions) {
      refuse(cursor_.source(), begin_,
             quoted(name) + " has " + std::to_string(rank) + " dimensions, need at most 4");
    }
    std::vector<uint64_t> shape(rank);
    for (uint64_t i = rank; i-- > 0;) {  // the file has the fastest first
      shape[i] = cursor_.take_natural(8, "a dimension of " + quoted(name));
      if (shape[i] == 0) refuse(cursor_.source(), begin_, quoted(name) + " has a dimension of 0");
    }
    return shape;
  }

  Dtype take_dtype(const TensorEntry& entry) {
    const uint64_t number = cursor_.take_natural(4, "the type of " + quoted(entry.name));
    const std::optional<Dtype> dtype = dtype_of_ggml_type(number);
    if (!dtype) {
      const bool removed = is_removed_ggml_type(number);
      refuse(cursor_.source(), begin_,
             quoted(entry.name) + (removed ? " has the removed type " : " has the unknown type ") +
                 std::to_string(number),
             removed ? "quantize the model anew" : "a newer kind of file, or a damaged one",
             ErrorKind::kUnsupported);
    }
    const uint64_t row = entry.shape.empty() ? 1 : entry.shape.back();
    if (row % info(*dtype).block_elements != 0) {
      refuse(cursor_.source(), begin_,
             quoted(entry.name) + " has rows of " + std::to_string(row) + " elements, " +
                 std::string(info(*dtype).stored_name) + " needs whole blocks of " +
                 std::to_string(info(*dtype).block_elements));
    }
    return *dtype;
  }

  uint64_t bytes_of(const TensorEntry& entry) const {
    try {
      return stored_bytes(entry.name, entry.dtype, entry.shape);
    } catch (Error& error) {
      throw error.at(printable_path(cursor_.source().path()), begin_);
    }
  }

  ByteCursor& cursor_;
  uint64_t begin_ = 0;
  std::unordered_set<std::string> seen_;
};

// Tensors follow each other in order of their offsets, each padded to the alignment.
class LayoutCheck {
 public:
  LayoutCheck(const ByteSource& source, const FileHeader& header, uint64_t alignment)
      : source_(source), header_(header), alignment_(alignment) {}

  void run() const {
    if (header_.tensors.empty()) {
      refuse(source_, 8, "the header describes no tensors");
    }
    uint64_t expected = header_.bytes;
    const TensorEntry* earlier = nullptr;
    for (const TensorEntry& entry : header_.tensors) {
      if (entry.offset < expected) refuse_overlap(entry, *earlier);
      if (entry.offset > expected) refuse_hole(entry, expected);
      if (entry.bytes > source_.size() - entry.offset) refuse_cut(entry);
      expected = padded(entry.offset + entry.bytes, alignment_);
      earlier = &entry;
    }
    if (expected < source_.size()) {
      refuse(source_, expected,
             "bytes " + std::to_string(expected) + " to " + std::to_string(source_.size()) +
                 " at the end of the file belong to no tensor");
    }
  }

 private:
  [[noreturn]] void refuse_overlap(const TensorEntry& entry, const TensorEntry& earlier) const {
    refuse(source_, entry.offset,
           quoted(entry.name) + " begins at byte " + std::to_string(entry.offset) + ", " +
               quoted(earlier.name) + " ends at " + std::to_string(earlier.offset + earlier.bytes) +
               ": they overlap");
  }

  [[noreturn]] void refuse_hole(const TensorEntry& entry, uint64_t expected) const {
    refuse(source_, expected,
           "hole before " + quoted(entry.name) + ": bytes " + std::to_string(expected) + " to " +
               std::to_string(entry.offset) + " belong to no tensor");
  }

  [[noreturn]] void refuse_cut(const TensorEntry& entry) const {
    refuse(source_, entry.offset,
           quoted(entry.name) + " has " + std::to_string(entry.bytes) + " bytes from byte " +
               std::to_string(entry.offset) + " on, the file has " + std::to_string(source_.size()),
           "the download or copy stopped early: fetch the file again");
  }

  const ByteSource& source_;
  const FileHeader& header_;
  uint64_t alignment_;
};

std::vector<TensorEntry> read_infos(ByteCursor& cursor, uint64_t count) {
  const uint64_t byte = cursor.position();
  if (count > cursor.left() / kLeastTensorBytes || count > kMaxGgufTensors) {
    refuse(cursor.source(), byte,
           "the header counts " + std::to_string(count) + " tensors, more than the " +
               std::to_string(cursor.left()) + " bytes after it hold or than " +
               std::to_string(kMaxGgufTensors));
  }
  std::vector<TensorEntry> entries;
  entries.reserve(count);
  TensorInfoReader reader(cursor);
  for (uint64_t i = 0; i < count; ++i) entries.push_back(reader.read());
  return entries;
}

// From within the data to within the file.
void place(const ByteSource& source, FileHeader& header, uint64_t alignment) {
  if (header.bytes > source.size()) {
    refuse(source, source.size(),
           "the data begins at byte " + std::to_string(header.bytes) + ", the file has " +
               std::to_string(source.size()),
           "the download or copy stopped early: fetch the file again");
  }
  for (TensorEntry& entry : header.tensors) {
    if (entry.offset % alignment != 0) {
      refuse(source, header.bytes,
             quoted(entry.name) + " begins at data byte " + std::to_string(entry.offset) +
                 ", no multiple of the alignment " + std::to_string(alignment));
    }
    if (entry.offset > source.size() - header.bytes) {
      refuse(source, header.bytes,
             quoted(entry.name) + " begins at data byte " + std::to_string(entry.offset) +
                 ", the data has " + std::to_string(source.size() - header.bytes),
             "the download or copy stopped early: fetch the file again");
    }
    entry.offset += header.bytes;
  }
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.offset < b.offset; });
}

}  // namespace

FileHeader read_gguf_header(const ByteSource& source) {
  ByteCursor cursor(source);
  check_magic(cursor);
  check_version(cursor);
  const uint64_t tensors = cursor.take_natural(8, "the number of tensors");
  const uint64_t keys = cursor.take_natural(8, "the number of keys");
  FileHeader header;
  header.values = read_gguf_metadata(cursor, keys);
  header.tensors = read_infos(cursor, tensors);
  const uint64_t alignment = alignment_of(source, header.values);
  header.bytes = padded(cursor.position(), alignment);
  place(source, header, alignment);
  LayoutCheck(source, header, alignment).run();
  return header;
}

}  // namespace qspec
