#include "engine/checkpoint/container.h"

#include "engine/checkpoint/gguf.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/torch_archive.h"

namespace qspec {
namespace {

constexpr Container kContainers[] = {
    {".safetensors", "model.safetensors", "model.safetensors.index.json", read_safetensors_header},
    {".bin", "pytorch_model.bin", "pytorch_model.bin.index.json", read_torch_archive},
};

// Named by no rule of transformers: gguf_split.h says what belongs together.
constexpr Container kGguf = {".gguf", "", "", read_gguf_header};

// Other endings of what torch.save writes.
constexpr std::string_view kTorchEndings[] = {".pt", ".pth", ".ckpt"};

}  // namespace

std::span<const Container> containers() {
  return kContainers;
}

const Container& preferred_container() {
  return kContainers[0];
}

const Container* container_of_file(std::string_view name) {
  for (const Container& row : kContainers) {
    if (name.ends_with(row.ending)) return &row;
  }
  if (name.ends_with(kGguf.ending)) return &kGguf;
  for (const std::string_view ending : kTorchEndings) {
    if (name.ends_with(ending)) return &kContainers[1];
  }
  return nullptr;
}

}  // namespace qspec
