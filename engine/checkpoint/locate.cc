#include "engine/checkpoint/locate.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "engine/core/error.h"
#include "engine/core/nearest.h"
#include "engine/core/system_error.h"

namespace qspec {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSingleName = "model.safetensors";
constexpr std::string_view kIndexName = "model.safetensors.index.json";

std::vector<std::string> entries_of(const std::string& folder) {
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  std::vector<std::string> names;
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    names.push_back(entry->path().filename().string());
  }
  if (code) throw system_error("list the folder", folder, code.value());
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void refuse(ErrorKind kind, const std::string& path, std::string message,
                         std::string hint = "") {
  throw Error(kind, std::move(message)).at(printable_path(path)).hint(std::move(hint));
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string list_of(const std::vector<std::string>& names) {
  constexpr size_t kMostShown = 8;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMostShown; ++i) {
    text += (i == 0 ? "" : ", ") + printable(names[i]);
  }
  if (names.size() > kMostShown)
    text += " and " + std::to_string(names.size() - kMostShown) + " more";
  return text;
}

// "model-00001-of-00003.safetensors"
bool is_shard_name(std::string_view name) {
  return name.find("-of-") != name.npos;
}

struct ForeignWeights {
  std::string_view ending;
  std::string_view what;
};

constexpr ForeignWeights kForeign[] = {
    {".gguf", "GGUF files are not read yet"},
    {".bin", "pickle checkpoints are not read yet"},
    {".bin.index.json", "pickle checkpoints are not read yet"},
    {".pt", "pickle checkpoints are not read yet"},
    {".pth", "pickle checkpoints are not read yet"},
    {".ckpt", "pickle checkpoints are not read yet"},
    {".h5", "TensorFlow checkpoints are not read"},
    {".msgpack", "Flax checkpoints are not read"},
    {".onnx", "ONNX models are not read"},
};

const ForeignWeights* foreign_kind(std::string_view name) {
  for (const ForeignWeights& row : kForeign) {
    if (name.ends_with(row.ending)) return &row;
  }
  return nullptr;
}

std::string foreign_hint(std::string_view ending) {
  return ending == ".gguf" ? "check the safetensors form of the model"
                           : "save the model as safetensors: save_pretrained(folder) writes it";
}

[[noreturn]] void refuse_folder(const std::string& folder, const std::vector<std::string>& names) {
  if (names.empty()) refuse(ErrorKind::kCheckpoint, folder, "the folder is empty");
  for (const std::string& name : names) {
    const ForeignWeights* foreign = foreign_kind(name);
    if (foreign == nullptr) continue;
    refuse(ErrorKind::kUnsupported, folder,
           "found '" + printable(name) + "', need safetensors: " + std::string(foreign->what),
           foreign_hint(foreign->ending));
  }
  const bool is_cache_entry = has(names, "snapshots");
  refuse(
      ErrorKind::kCheckpoint, folder,
      "no weights in the folder: found " + list_of(names) + "; need " + std::string(kSingleName) +
          " or " + std::string(kIndexName),
      is_cache_entry ? "this is an entry of the hub cache: give the folder under snapshots/" : "");
}

// One file under another name is read, and reported: transformers would not find it.
WeightFiles locate_unusual(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (name.ends_with(".safetensors")) found.push_back(name);
  }
  if (found.empty()) refuse_folder(folder, names);
  if (found.size() > 1 || is_shard_name(found[0])) {
    refuse(ErrorKind::kCheckpoint, folder,
           "found " + list_of(found) + " but no " + std::string(kIndexName) +
               ", which says what each shard holds",
           "fetch the index too, or give one .safetensors file");
  }
  WeightFiles files{folder, folder + "/" + found[0], "", {}};
  files.problems.push_back({"misnamed", "", found[0], std::string(kSingleName)});
  return files;
}

WeightFiles locate_in_folder(const std::string& folder) {
  const std::vector<std::string> names = entries_of(folder);
  const bool has_index = has(names, kIndexName);
  const std::string index = folder + "/" + std::string(kIndexName);
  if (has(names, kSingleName)) {
    WeightFiles files{folder, folder + "/" + std::string(kSingleName), "", {}};
    if (has_index) {
      files.problems.push_back(
          {"ignored", "", std::string(kIndexName), "no index beside " + std::string(kSingleName)});
    }
    return files;
  }
  if (has_index) return {folder, "", index, {}};
  return locate_unusual(folder, names);
}

WeightFiles locate_file(const std::string& path) {
  const fs::path file(path);
  const std::string name = file.filename().string();
  if (const ForeignWeights* foreign = foreign_kind(name); foreign != nullptr) {
    refuse(ErrorKind::kUnsupported, path, "cannot read this file: " + std::string(foreign->what),
           foreign_hint(foreign->ending));
  }
  // A file of the hub cache's blobs/ has no extension.
  if (file.has_extension() && file.extension() != ".safetensors") {
    refuse(ErrorKind::kCheckpoint, path, "found a file, need a model folder or a .safetensors file",
           name.ends_with(".json") ? "give the folder that holds it" : "");
  }
  return {file.has_parent_path() ? file.parent_path().string() : ".", path, "", {}};
}

}  // namespace

std::string nearest_entry_hint(const std::string& folder, const std::string& name) {
  try {
    const std::vector<std::string> names = entries_of(folder);
    const std::optional<std::string> near = nearest_name(name, names);
    return near ? "did you mean '" + printable(*near) + "'?" : "";
  } catch (const Error&) {
    return "";  // the folder cannot be listed: that is not what the caller reports
  }
}

WeightFiles locate_weights(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  std::error_code code;
  const fs::file_status status = fs::status(trimmed, code);
  if (status.type() == fs::file_type::not_found) {
    const fs::path missing(trimmed);
    const std::string parent = missing.has_parent_path() ? missing.parent_path().string() : ".";
    refuse(ErrorKind::kIo, path, "no such file or folder",
           nearest_entry_hint(parent, missing.filename().string()));
  }
  if (code) throw system_error("open", path, code.value());
  return status.type() == fs::file_type::directory ? locate_in_folder(trimmed)
                                                   : locate_file(trimmed);
}

void require_inside(const std::string& folder, const std::string& path) {
  std::error_code code;
  const fs::path target = fs::canonical(path, code);
  if (code) return;  // opening it will say why
  fs::path root = fs::canonical(folder, code);
  if (code) throw system_error("resolve the folder", folder, code.value());
  if (root.parent_path().filename() == "snapshots") root = root.parent_path().parent_path();
  const fs::path inside = target.lexically_relative(root);
  if (!inside.empty() && *inside.begin() != "..") return;
  throw Error(ErrorKind::kCheckpoint, "shard is a link to '" + printable_path(target.string()) +
                                          "', outside of the model folder")
      .at(printable_path(path))
      .hint("an index may only name files of its own folder: copy the shard there");
}

}  // namespace qspec
