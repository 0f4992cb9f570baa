#include "engine/model/choice.h"

#include <algorithm>

namespace qspec {

std::vector<int64_t> highest(std::span<const float> scores, size_t count) {
  std::vector<int64_t> best;
  const auto score = [&](int64_t index) { return scores[static_cast<size_t>(index)]; };
  for (size_t i = 0; i < scores.size(); ++i) {
    if (best.size() == count && !(scores[i] > score(best.back()))) continue;
    const auto place = std::find_if(best.begin(), best.end(),
                                    [&](int64_t index) { return scores[i] > score(index); });
    best.insert(place, static_cast<int64_t>(i));
    if (best.size() > count) best.pop_back();
  }
  return best;
}

}  // namespace qspec
