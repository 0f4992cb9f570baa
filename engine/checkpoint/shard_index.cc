#include "engine/checkpoint/shard_index.h"

#include <algorithm>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/core/json.h"

namespace qspec {
namespace {

class IndexReader {
 public:
  IndexReader(std::string_view file, std::string_view ending) : file_(file), ending_(ending) {}

  ShardIndex read(std::string_view text) {
    JsonLimits limits;
    limits.bytes = kMaxIndexBytes;
    const Json root = parse_json(text, file_, limits);
    if (!root.is_object()) {
      refuse("the index is of type " + std::string(root.type_name()) + ", need object");
    }
    read_total_size(root);
    const auto map = root.find("weight_map");
    if (map == root.end()) refuse("the index has no weight_map");
    if (!map->is_object()) {
      refuse("weight_map is of type " + std::string(map->type_name()) + ", need object");
    }
    for (const auto& [tensor, shard] : map->items()) add(tensor, shard);
    if (index_.names.empty()) refuse("weight_map names no tensor");
    return std::move(index_);
  }

 private:
  [[noreturn]] void refuse(std::string message) const {
    throw Error(ErrorKind::kCheckpoint, std::move(message)).at(printable_path(file_));
  }

  void read_total_size(const Json& root) {
    const auto metadata = root.find("metadata");
    if (metadata == root.end() || !metadata->is_object()) return;
    const auto total = metadata->find("total_size");
    if (total == metadata->end()) return;
    if (total->is_number_unsigned()) {
      index_.total_size = total->get<uint64_t>();
    } else {
      index_.odd_total_size = dump_json(*total);
    }
  }

  void add(const std::string& tensor, const Json& shard) {
    if (!shard.is_string()) {
      refuse("weight_map places '" + printable(tensor) + "' in a value of type " +
             std::string(shard.type_name()) + ", need the name of a file");
    }
    const auto& name = shard.get_ref<const std::string&>();
    const auto [known, is_new] =
        shard_numbers_.try_emplace(name, static_cast<uint32_t>(index_.shards.size()));
    if (is_new) {
      check_name(tensor, name);
      index_.shards.push_back({name, tensor});
    }
    index_.names.push_back(tensor);
    index_.shard_of.push_back(known->second);
  }

  void check_name(const std::string& tensor, const std::string& name) const {
    if (index_.shards.size() == kMaxShards) {
      refuse("the index names more than " + std::to_string(kMaxShards) + " shards");
    }
    const std::string shard =
        "shard '" + printable(name) + "' of tensor '" + printable(tensor) + "'";
    if (name.empty()) refuse(shard + " has an empty name");
    if (name.front() == '/')
      refuse(shard + " is an absolute path, need a file in the model folder");
    if (name.find('\\') != name.npos || name.find('\0') != name.npos) {
      refuse(shard + " holds a backslash or NUL, need a plain file name");
    }
    for (size_t begin = 0; begin <= name.size();) {
      const size_t end = std::min(name.find('/', begin), name.size());
      if (name.substr(begin, end - begin) == "..") refuse(shard + " leaves the model folder");
      begin = end + 1;
    }
    if (!name.ends_with(ending_)) refuse(shard + " is not a " + ending_ + " file");
  }

  std::string file_;
  std::string ending_;
  ShardIndex index_;
  std::unordered_map<std::string, uint32_t> shard_numbers_;
};

}  // namespace

ShardIndex parse_shard_index(std::string_view text, std::string_view file,
                             std::string_view ending) {
  return IndexReader(file, ending).read(text);
}

}  // namespace qspec
