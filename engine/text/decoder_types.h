#pragma once

#include <memory>

#include "engine/text/component.h"
#include "engine/text/decoder.h"

namespace qspec {

// The decoders that put spaces between words, in a file of their own.
std::unique_ptr<const Decoder> make_word_piece_decoder(const Component& from);
std::unique_ptr<const Decoder> make_bpe_decoder(const Component& from);
std::unique_ptr<const Decoder> make_ctc_decoder(const Component& from);

}  // namespace qspec
