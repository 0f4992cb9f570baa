#include "engine/text/word_level.h"

namespace qspec {

WordLevel::WordLevel(const Component& from) : vocabulary_(from), unknown_(from, vocabulary_) {
  from.text("unk_token");  // which this model cannot do without
}

void WordLevel::tokenize(std::string_view piece, std::vector<int32_t>& ids) const {
  const auto id = vocabulary_.id_of(piece);
  ids.push_back(id ? *id : unknown_.id());
}

}  // namespace qspec
