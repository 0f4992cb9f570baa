#include "engine/checkpoint/torch_archive.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "engine/checkpoint/pickle.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/tensor_size.h"
#include "engine/checkpoint/torch_members.h"
#include "engine/core/error.h"
#include "engine/core/key_stack.h"

namespace qspec {
namespace {

using Kind = PickleValue::Kind;

// Two elements of this type lie in one byte, which torch counts as one.
constexpr Dtype kPairs = Dtype::kF4;

class ArchiveReader {
 public:
  explicit ArchiveReader(const ByteSource& source)
      : source_(source), members_(read_torch_members(source)), pickle_(read_text()) {}

  FileHeader read() {
    values_ = read_pickle({pickle_, source_.path(), members_.pickle.offset});
    const PickleValue& root = values_.values[values_.root];
    if (!values_.is_dictionary(root)) {
      refuse(root, "the file holds " + described(values_, root) + ", need a dictionary of tensors");
    }
    read_entries(values_.members[root.begin]);
    std::sort(header_.tensors.begin(), header_.tensors.end(), [](const auto& a, const auto& b) {
      return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
    });
    account_for_storages();
    return std::move(header_);
  }

 private:
  std::string read_text() const {
    return read_zip_member(source_, members_.pickle, kMaxPickleBytes);
  }

  [[noreturn]] void refuse(const PickleValue& value, std::string message,
                           std::string_view hint = "",
                           ErrorKind kind = ErrorKind::kCheckpoint) const {
    throw Error(kind, std::move(message))
        .at(printable_path(source_.path()), members_.pickle.offset + value.place)
        .hint(std::string(hint));
  }

  void read_entries(const std::vector<uint32_t>& entries) {
    KeyStack names;
    names.open();
    const PickleValue* nested = nullptr;
    for (size_t i = 0; i < entries.size(); i += 2) {
      const PickleValue& key = values_.values[entries[i]];
      const PickleValue& value = values_.values[entries[i + 1]];
      const std::string name = name_of(key);
      names.add(name, entries[i]);
      if (value.kind == Kind::kTensor) {
        add(name, value);
        continue;
      }
      header_.problems.push_back({"no_tensor", name, described(values_, value), "a tensor"});
      if (nested == nullptr && values_.is_dictionary(value)) nested = &key;
    }
    if (const auto repeated = names.close()) {
      refuse(values_.values[repeated->second_place],
             "the name '" + printable(repeated->key) + "' occurs twice");
    }
    if (header_.tensors.empty() && nested != nullptr) refuse_nested(*nested);
  }

  [[noreturn]] void refuse_nested(const PickleValue& key) const {
    const std::string name = printable(values_.text_of(key));
    refuse(key, "the file holds no tensor at its top: '" + name + "' is a dictionary",
           "a training checkpoint? torch.save(torch.load(FILE)['" + name +
               "'], ...) makes one of weights",
           ErrorKind::kUnsupported);
  }

  std::string name_of(const PickleValue& key) const {
    if (key.kind != Kind::kText) {
      refuse(key, "a tensor's name is " + described(values_, key) + ", need a text");
    }
    std::string name(values_.text_of(key));
    if (name.empty()) refuse(key, "a tensor has an empty name");
    if (name.size() > kMaxNameBytes || name.find('\0') != std::string::npos) {
      refuse(key, "the name '" + printable(name) + "' has a NUL or " + std::to_string(name.size()) +
                      " bytes, the limit is " + std::to_string(kMaxNameBytes));
    }
    return name;
  }

  // The place of the storage, once per key: several tensors may lie in it.
  const ZipMember& storage_of(const PickleValue& value, const std::string& name,
                              const PickleStorage& storage) {
    const auto found = members_.storages.find(storage.key);
    const std::string of_tensor =
        "storage '" + storage.key + "' of tensor '" + printable(name) + "'";
    if (found == members_.storages.end()) refuse(value, of_tensor + " is not in the archive");
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(storage.elements, uint64_t{info(storage.dtype).block_bytes},
                               &bytes) ||
        bytes != found->second.bytes) {
      refuse(value, of_tensor + " has " + std::to_string(found->second.bytes) +
                        " bytes, the pickle says " + std::to_string(storage.elements) +
                        " elements of " + std::string(info(storage.dtype).torch_name));
    }
    return found->second;
  }

  void add(const std::string& name, const PickleValue& value) {
    const PickleTensor& tensor = values_.tensors[value.begin];
    const ZipMember& member = storage_of(value, name, values_.storages[tensor.storage]);
    require_contiguous(name, value, tensor);
    TensorEntry entry{name, tensor.dtype, tensor.shape, 0, 0, 0};
    if (tensor.dtype == kPairs) double_last(value, entry);
    entry.bytes = bytes_of(value, entry);
    entry.offset = member.offset + begin_of(value, tensor, entry, member);
    header_.tensors.push_back(std::move(entry));
  }

  // Where the tensor begins within its storage. One without elements begins nowhere: torch lets its
  // offset point past the end.
  uint64_t begin_of(const PickleValue& value, const PickleTensor& tensor, const TensorEntry& entry,
                    const ZipMember& member) const {
    if (entry.bytes == 0) return 0;
    uint64_t begin = 0;
    const uint64_t width = info(tensor.dtype).block_bytes;
    if (!__builtin_mul_overflow(tensor.offset, width, &begin) && begin <= member.bytes &&
        entry.bytes <= member.bytes - begin) {
      return begin;
    }
    refuse(value, "tensor '" + printable(entry.name) + "' has " + std::to_string(entry.bytes) +
                      " bytes from element " + std::to_string(tensor.offset) +
                      " on, its storage has " + std::to_string(member.bytes));
  }

  uint64_t bytes_of(const PickleValue& value, const TensorEntry& entry) const try {
    return stored_bytes(entry.name, entry.dtype, entry.shape);
  } catch (const Error& error) {
    refuse(value, error.message(), error.hint());
  }

  void double_last(const PickleValue& value, TensorEntry& entry) const {
    if (!entry.shape.empty() &&
        !__builtin_mul_overflow(entry.shape.back(), uint64_t{2}, &entry.shape.back()))
      return;
    refuse(value,
           "tensor '" + printable(entry.name) + "' of pairs has no last dimension to double");
  }

  // As torch decides: strides of dimensions of one element, and of no elements, say nothing.
  void require_contiguous(const std::string& name, const PickleValue& value,
                          const PickleTensor& tensor) const {
    if (std::find(tensor.shape.begin(), tensor.shape.end(), 0u) != tensor.shape.end()) return;
    uint64_t wanted = 1;
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      const uint64_t extent = tensor.shape[i];
      if (extent == 1) continue;
      if (tensor.strides[i] != wanted) {
        refuse(value,
               "tensor '" + printable(name) + "' has stride " + std::to_string(tensor.strides[i]) +
                   " in dimension " + std::to_string(i) + ", need " + std::to_string(wanted) +
                   ": its elements do not lie one after the other",
               "save tensor.contiguous() instead of a transposed or expanded tensor",
               ErrorKind::kUnsupported);
      }
      if (__builtin_mul_overflow(wanted, extent, &wanted)) return;  // bytes_of refuses it
    }
  }

  // The rest of the file is header. A storage that nothing refers to is reported.
  void account_for_storages() {
    std::set<std::string_view> used;
    for (const PickleStorage& storage : values_.storages) used.insert(storage.key);
    header_.bytes = source_.size();
    for (const auto& [key, member] : members_.storages) {
      header_.bytes -= member.bytes;
      if (used.contains(key)) continue;
      header_.problems.push_back({"unused", member.name,
                                  std::to_string(member.bytes) + " bytes of no tensor",
                                  "only what the pickle refers to"});
    }
  }

  const ByteSource& source_;
  TorchMembers members_;
  std::string pickle_;
  PickleValues values_;
  FileHeader header_;
};

}  // namespace

FileHeader read_torch_archive(const ByteSource& source) {
  return ArchiveReader(source).read();
}

}  // namespace qspec
