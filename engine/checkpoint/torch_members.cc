#include "engine/checkpoint/torch_members.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "engine/checkpoint/signature.h"
#include "engine/core/error.h"

namespace qspec {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kZipMark = "PK\3\4"sv;
constexpr std::string_view kTarMark = "ustar"sv;  // at kTarMarkAt
constexpr size_t kTarMarkAt = 257;
// The number with which torch before 1.6 begins, as a pickled whole number of ten bytes.
constexpr std::string_view kOldTorchMark = "\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv;
constexpr std::string_view kConvertHint =
    "where the file is trusted, load it with torch and save the model as safetensors";
constexpr uint64_t kMaxWordBytes = 64;

std::string first_bytes(const ByteSource& source) {
  std::string bytes(std::min<uint64_t>(source.size(), kTarMarkAt + kTarMark.size()), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

void require_zip(const ByteSource& source) {
  const std::string bytes = first_bytes(source);
  const std::string_view begin = bytes;
  if (begin.starts_with(kZipMark)) return;
  const auto refuse = [&](ErrorKind kind, std::string message, std::string_view hint) {
    throw Error(kind, std::move(message))
        .at(printable_path(source.path()), 0)
        .hint(std::string(hint));
  };
  if (begin.size() > 2 && begin.substr(2).starts_with(kOldTorchMark)) {
    refuse(ErrorKind::kUnsupported,
           "the file is in the form of torch before 1.6, need the zip archive of later versions",
           kConvertHint);
  }
  if (begin.size() > kTarMarkAt && begin.substr(kTarMarkAt) == kTarMark) {
    refuse(ErrorKind::kUnsupported, "the file is a tar archive, need the zip archive of torch.save",
           kConvertHint);
  }
  if (begin.starts_with('\x80')) {
    refuse(ErrorKind::kUnsupported, "the file is a bare pickle, need the zip archive of torch.save",
           kConvertHint);
  }
  refuse(ErrorKind::kCheckpoint,
         "the file begins with '" + printable(begin.substr(0, 16)) +
             "', need the zip archive of torch.save",
         foreign_file_hint(begin));
}

class MemberSorter {
 public:
  explicit MemberSorter(const ByteSource& source) : source_(source) {}

  TorchMembers sort(const std::vector<ZipMember>& all) {
    for (const ZipMember& member : all) take(member, inner_name(member));
    if (!has_pickle_) {
      refuse_zip("the zip archive has no data.pkl: it was not written by torch.save",
                 source_.size());
    }
    return std::move(members_);
  }

 private:
  [[noreturn]] void refuse_zip(std::string message, uint64_t byte,
                               ErrorKind kind = ErrorKind::kCheckpoint) const {
    throw Error(kind, std::move(message)).at(printable_path(source_.path()), byte);
  }

  // torch puts everything in one folder, named after the file.
  std::string_view inner_name(const ZipMember& member) {
    const std::string_view name = member.name;
    const size_t slash = std::min(name.find('/'), name.size() - 1);
    const std::string_view top = name.substr(0, slash + 1);
    if (top_.empty()) top_ = top;
    if (top != top_) {
      refuse_zip("the zip archive has two folders, '" + printable(top_) + "' and '" +
                     printable(top) + "', need one",
                 member.offset);
    }
    return name.substr(slash + 1);
  }

  void take(const ZipMember& member, std::string_view name) {
    if (name == "data.pkl") {
      members_.pickle = member;
      has_pickle_ = true;
    } else if (name.starts_with("data/")) {
      members_.storages.emplace(name.substr(5), member);
    } else if (name == "byteorder") {
      check_byte_order(member);
    } else if (name.starts_with("code/") || name == "constants.pkl") {
      refuse_zip("the zip archive holds code ('" + printable(member.name) +
                     "'): it is a TorchScript program, need a dictionary of tensors",
                 member.offset, ErrorKind::kUnsupported);
    } else if (member.bytes <= kMaxWordBytes) {
      read_zip_member(source_, member, kMaxWordBytes);  // a version, an id: for its checksum
    }
  }

  // Before torch 2.1 there is no such member, and the bytes are little-endian.
  void check_byte_order(const ZipMember& member) const {
    const std::string order = read_zip_member(source_, member, kMaxWordBytes);
    if (order == "little") return;
    refuse_zip("byte order '" + printable(order) + "', need 'little'", member.offset,
               order == "big" ? ErrorKind::kUnsupported : ErrorKind::kCheckpoint);
  }

  const ByteSource& source_;
  std::string top_;
  TorchMembers members_;
  bool has_pickle_ = false;
};

}  // namespace

TorchMembers read_torch_members(const ByteSource& source) {
  require_zip(source);
  return MemberSorter(source).sort(read_zip_directory(source));
}

}  // namespace qspec
