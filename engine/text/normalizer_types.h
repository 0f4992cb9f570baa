#pragma once

#include <memory>

#include "engine/text/component.h"
#include "engine/text/normalizer.h"

namespace qspec {

// The normalizers that have a file of their own.
std::unique_ptr<const Normalizer> make_bert_normalizer(const Component& from);
std::unique_ptr<const Normalizer> make_nmt_normalizer(const Component& from);
std::unique_ptr<const Normalizer> make_precompiled_normalizer(const Component& from);

}  // namespace qspec
