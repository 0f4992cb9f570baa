#include "engine/checkpoint/locate.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "engine/checkpoint/gguf_split.h"
#include "engine/core/error.h"
#include "engine/core/nearest.h"
#include "engine/core/system_error.h"

namespace qspec {
namespace {

namespace fs = std::filesystem;

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
    {".bin", "of a folder's pickles, only pytorch_model.bin and its index are read"},
    {".pt", "of a folder's pickles, only pytorch_model.bin and its index are read"},
    {".pth", "of a folder's pickles, only pytorch_model.bin and its index are read"},
    {".ckpt", "of a folder's pickles, only pytorch_model.bin and its index are read"},
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

constexpr const char* kForeignHint =
    "save the model as safetensors: save_pretrained(folder) writes it";

[[noreturn]] void refuse_folder(const std::string& folder, const std::vector<std::string>& names) {
  if (names.empty()) refuse(ErrorKind::kCheckpoint, folder, "the folder is empty");
  for (const std::string& name : names) {
    const ForeignWeights* foreign = foreign_kind(name);
    if (foreign == nullptr) continue;
    refuse(ErrorKind::kUnsupported, folder,
           "found '" + printable(name) + "', need safetensors: " + std::string(foreign->what),
           kForeignHint);
  }
  const bool is_cache_entry = has(names, "snapshots");
  refuse(
      ErrorKind::kCheckpoint, folder,
      "no weights in the folder: found " + list_of(names) + "; need " +
          std::string(preferred_container().single) + " or " +
          std::string(preferred_container().index),
      is_cache_entry ? "this is an entry of the hub cache: give the folder under snapshots/" : "");
}

// One GGUF file, or all parts of one.
WeightFiles locate_gguf(const std::string& folder, const std::string& name) {
  WeightFiles files{folder, folder + "/" + name, "", {}, container_of_file(name)};
  for (const std::string& part : gguf_parts(name)) files.parts.push_back(folder + "/" + part);
  return files;
}

// Throws Error(kCheckpoint) when there are several models; nothing when there is none.
std::optional<WeightFiles> locate_gguf_in_folder(const std::string& folder,
                                                 const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (name.ends_with(".gguf")) found.push_back(name);
  }
  if (found.empty()) return std::nullopt;
  const std::vector<std::string> parts = gguf_parts(found[0]);
  const bool all_of_one = std::ranges::all_of(
      found, [&](const std::string& name) { return name == found[0] || has(parts, name); });
  if (!all_of_one) {
    refuse(ErrorKind::kCheckpoint, folder, "found several models: " + list_of(found),
           "give the path of one .gguf file");
  }
  return locate_gguf(folder, found[0]);
}

// One file under another name is read, and reported: transformers would not find it.
WeightFiles locate_unusual(const std::string& folder, const std::vector<std::string>& names) {
  const Container& container = preferred_container();
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (name.ends_with(container.ending)) found.push_back(name);
  }
  if (found.empty()) {
    if (const auto gguf = locate_gguf_in_folder(folder, names)) return *gguf;
    refuse_folder(folder, names);
  }
  if (found.size() > 1 || is_shard_name(found[0])) {
    refuse(ErrorKind::kCheckpoint, folder,
           "found " + list_of(found) + " but no " + std::string(container.index) +
               ", which says what each shard holds",
           "fetch the index too, or give one .safetensors file");
  }
  WeightFiles files{folder, folder + "/" + found[0], "", {}, &container};
  files.problems.push_back({"misnamed", "", found[0], std::string(container.single)});
  return files;
}

WeightFiles locate_in_folder(const std::string& folder) {
  const std::vector<std::string> names = entries_of(folder);
  for (const Container& container : containers()) {
    const std::string single(container.single);
    const std::string index(container.index);
    const bool has_index = has(names, index);
    if (has(names, single)) {
      WeightFiles files{folder, folder + "/" + single, "", {}, &container};
      if (has_index) files.problems.push_back({"ignored", "", index, "no index beside " + single});
      return files;
    }
    if (has_index) return {folder, "", folder + "/" + index, {}, &container};
  }
  return locate_unusual(folder, names);
}

WeightFiles locate_file(const std::string& path) {
  const fs::path file(path);
  const std::string name = file.filename().string();
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  if (name.ends_with(".gguf")) return locate_gguf(folder, name);
  if (const Container* container = container_of_file(name); container != nullptr) {
    return {folder, path, "", {}, container};
  }
  if (const ForeignWeights* foreign = foreign_kind(name); foreign != nullptr) {
    refuse(ErrorKind::kUnsupported, path, "cannot read this file: " + std::string(foreign->what),
           kForeignHint);
  }
  // A file of the hub cache's blobs/ has no extension.
  if (file.has_extension()) {
    refuse(ErrorKind::kCheckpoint, path, "found a file, need a model folder or a .safetensors file",
           name.ends_with(".json") ? "give the folder that holds it" : "");
  }
  return {folder, path, "", {}, &preferred_container()};
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
