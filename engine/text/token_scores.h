#pragma once

#include <vector>

#include "engine/text/component.h"

namespace qspec {

// The scores of from's member "vocab", a list of [token, score], by id. Throws Error(kCheckpoint)
// for what is no number.
std::vector<double> token_scores(const Component& from);

// The number that the library makes of the shortest text of `number`. Its reader of JSON
// (serde_json 1, without float_roundtrip) takes the digits as one whole number and divides by a
// power of ten, which rounds twice: one number in seven is off by a unit in the last place, and
// which of two cuts scores higher can hang on that.
double as_serde_reads(double number);

}  // namespace qspec
