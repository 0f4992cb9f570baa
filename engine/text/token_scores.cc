#include "engine/text/token_scores.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace qspec {
namespace {

constexpr int kLargestPower = 308;

// 10^0 to 10^308, each the nearest double.
std::array<double, kLargestPower + 1> make_powers_of_ten() {
  std::array<double, kLargestPower + 1> powers{};
  for (int i = 0; i <= kLargestPower; ++i) {
    const std::string text = "1e" + std::to_string(i);
    std::from_chars(text.data(), text.data() + text.size(), powers[static_cast<size_t>(i)]);
  }
  return powers;
}

double scaled(double digits, int exponent) {
  static const auto powers = make_powers_of_ten();
  while (exponent < -kLargestPower) {
    digits /= powers[kLargestPower];
    exponent += kLargestPower;
  }
  const double power = powers[static_cast<size_t>(std::abs(exponent))];
  return exponent < 0 ? digits / power : digits * power;
}

double score_of(const Json& item, const Component& from, size_t index) {
  if (item.is_array() && item.size() == 2 && item[1].is_number()) {
    return as_serde_reads(item[1].get<double>());
  }
  throw from.refusal(ErrorKind::kCheckpoint,
                     "found " + printable(dump_json(item)) + ", wanted [token, score]",
                     "vocab[" + std::to_string(index) + "]");
}

}  // namespace

std::vector<double> token_scores(const Component& from) {
  std::vector<double> scores;
  const Json& list = from.array("vocab");
  scores.reserve(list.size());
  for (const Json& item : list) scores.push_back(score_of(item, from, scores.size()));
  return scores;
}

double as_serde_reads(double number) {
  char text[32];
  const char* end =
      std::to_chars(text, text + sizeof text, std::fabs(number), std::chars_format::scientific).ptr;
  const std::string_view shortest(text, static_cast<size_t>(end - text));
  const size_t mark = shortest.find('e');
  uint64_t digits = 0;
  int exponent = 0;
  for (const char letter : shortest.substr(0, mark)) {
    if (letter == '.') continue;
    digits = digits * 10 + static_cast<uint64_t>(letter - '0');
    --exponent;
  }
  const size_t sign = shortest[mark + 1] == '+' ? 1 : 0;  // which from_chars does not read
  int tens = 0;
  std::from_chars(text + mark + 1 + sign, end, tens);
  return std::copysign(scaled(static_cast<double>(digits), exponent + 1 + tens), number);
}

}  // namespace qspec
