#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/text/post_processor.h"

namespace qspec {

// "[CLS] $A [SEP]", and another such template for two sequences.
class TemplateProcessing final : public PostProcessor {
 public:
  explicit TemplateProcessing(const Component& from);

  // Throws Error(kCheckpoint) for more than two sequences, or none.
  void process(TokenSequences& sequences, bool add_special_tokens) const override;
  std::vector<int32_t> special_ids() const override;

 private:
  struct Piece {
    int sequence;              // 0 or 1, or kSpecial
    std::vector<int32_t> ids;  // of a special token
  };
  static constexpr int kSpecial = -1;

  static std::vector<Piece> pieces_of(const Component& from, std::string_view key, int sequences);
  static Piece sequence_piece(const Component& sequence, const std::vector<Piece>& before,
                              int sequences);
  static Piece special_piece(const Component& special, const Component& from);

  std::vector<Piece> single_;
  std::vector<Piece> pair_;
};

}  // namespace qspec
