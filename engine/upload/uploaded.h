#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/checkpoint/checkpoint.h"
#include "engine/upload/upload.h"

namespace qspec {

// One tensor of an Upload. Its bytes are read from the file, which has the same.
class UploadedTensor final : public ByteSource {
 public:
  UploadedTensor(std::shared_ptr<const Checkpoint> base, std::shared_ptr<Upload> upload,
                 const TensorEntry& entry)
      : base_(std::move(base)), upload_(std::move(upload)), entry_(entry) {}

  const std::shared_ptr<Upload>& upload() const { return upload_; }
  const std::string& name() const { return entry_.name; }

  const std::string& path() const override { return base_->path(); }
  uint64_t size() const override { return entry_.bytes; }
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    base_->read(entry_, offset, out);
  }

 private:
  std::shared_ptr<const Checkpoint> base_;
  std::shared_ptr<Upload> upload_;
  const TensorEntry& entry_;
};

// A checkpoint with some of its tensors on their way to a device: held() has those.
class UploadedCheckpoint final : public Checkpoint {
 public:
  UploadedCheckpoint(std::shared_ptr<const Checkpoint> base, std::shared_ptr<Upload> upload)
      : base_(std::move(base)), upload_(std::move(upload)) {}

  const std::string& path() const override { return base_->path(); }
  const std::vector<CheckpointFile>& files() const override { return base_->files(); }
  const std::vector<TensorEntry>& tensors() const override { return base_->tensors(); }
  const std::vector<CheckpointProblem>& problems() const override { return base_->problems(); }
  const TensorEntry* find(std::string_view name) const override { return base_->find(name); }
  void read(const TensorEntry& entry, uint64_t begin, std::span<std::byte> out) const override {
    base_->read(entry, begin, out);
  }
  std::shared_ptr<const ByteSource> held(const TensorEntry& entry) const override {
    if (!upload_->holds(entry.name)) return nullptr;
    return std::make_shared<const UploadedTensor>(base_, upload_, entry);
  }

 private:
  std::shared_ptr<const Checkpoint> base_;
  std::shared_ptr<Upload> upload_;
};

}  // namespace qspec
