#pragma once

#include <string>

#include "engine/text/component.h"

namespace qspec {

// What SentencePiece's visible space has in common on the way in and on the way out.

// The character that stands for a space, UTF-8.
std::string metaspace_mark(const Component& from);

enum class MetaspacePrepends { kFirst, kAlways, kNever };

// Which pieces get a mark in front.
MetaspacePrepends metaspace_prepends(const Component& from);

}  // namespace qspec
