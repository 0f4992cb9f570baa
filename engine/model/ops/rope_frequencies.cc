#include "engine/model/ops/rope_frequencies.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace qspec {
namespace {

constexpr int64_t kMostWidth = 1 << 16;
constexpr double kMost = 1e15;

// The plain series, all in fp32 and by the functions that transformers calls.
struct Series {
  int64_t width;
  double theta;

  at::Tensor exponents() const {
    return at::arange(0, width, 2, at::kLong).to(at::kFloat) / static_cast<double>(width);
  }
  at::Tensor wave_numbers() const { return at::pow(theta, exponents()); }
  at::Tensor frequencies() const { return wave_numbers().reciprocal(); }
};

class Fixed : public RopeFrequencies {
 public:
  explicit Fixed(at::Tensor frequencies) : frequencies_(std::move(frequencies)) {}
  at::Tensor of(int64_t) const override { return frequencies_; }

 private:
  at::Tensor frequencies_;
};

class Dynamic : public RopeFrequencies {
 public:
  Dynamic(Series series, double factor, int64_t context)
      : series_(series), factor_(factor), context_(context) {}

  at::Tensor of(int64_t length) const override {
    const auto context = static_cast<double>(context_);
    const auto reached = static_cast<double>(std::max(length, context_));
    const auto width = static_cast<double>(series_.width);
    const double growth = factor_ * reached / context - (factor_ - 1);
    return Series{series_.width, series_.theta * std::pow(growth, width / (width - 2))}
        .frequencies();
  }

 private:
  Series series_;
  double factor_;
  int64_t context_;
};

class LongRope : public RopeFrequencies {
 public:
  LongRope(at::Tensor short_ones, at::Tensor long_ones, int64_t original)
      : short_(std::move(short_ones)), long_(std::move(long_ones)), original_(original) {}
  at::Tensor of(int64_t length) const override { return length > original_ ? long_ : short_; }

 private:
  at::Tensor short_, long_;
  int64_t original_;
};

double positive(Attributes& attributes, const char* key) {
  const double value = attributes.number(key);
  if (!(value > 0 && value < kMost)) {
    attributes.fail("attribute '" + std::string(key) + "' wants a positive number");
  }
  return value;
}

// Long waves are stretched by `factor`, short ones are not, and between is a blend.
at::Tensor llama3(Attributes& attributes, const Series& series) {
  const double factor = positive(attributes, "factor"), original = positive(attributes, "original");
  const double low = positive(attributes, "low"), high = positive(attributes, "high");
  if (low == high) attributes.fail("attributes 'low' and 'high' are equal");
  const at::Tensor plain = series.frequencies();
  const at::Tensor waves = 2 * M_PI / plain;
  const at::Tensor stretched = at::where(waves > original / low, plain / factor, plain);
  const at::Tensor share = (original / waves - low) / (high - low);
  const at::Tensor blend = (1 - share) * stretched / factor + share * stretched;
  const auto between = (waves >= original / high).logical_and_(waves <= original / low);
  return at::where(between, blend, stretched);
}

at::Tensor yarn(Attributes& attributes, const Series& series) {
  const double factor = positive(attributes, "factor");
  const double low = attributes.number("low"), high = attributes.number("high");
  if (low == high) attributes.fail("attributes 'low' and 'high' are equal");
  const at::Tensor index = at::arange(series.width / 2, at::kFloat);
  const at::Tensor kept = 1 - ((index - low) / (high - low)).clamp(0, 1);
  const at::Tensor waves = series.wave_numbers();
  return (factor * waves).reciprocal() * (1 - kept) + waves.reciprocal() * kept;
}

at::Tensor divided(Attributes& attributes, const Series& series, const char* key) {
  std::vector<float> divisors;
  for (const Json& divisor : attributes.value(key)) {
    if (!divisor.is_number() || !(divisor.get<double>() > 0)) {
      attributes.fail("attribute '" + std::string(key) + "' wants positive numbers");
    }
    divisors.push_back(divisor.get<float>());
  }
  if (divisors.size() != static_cast<size_t>(series.width / 2)) {
    attributes.fail("attribute '" + std::string(key) + "' has " + std::to_string(divisors.size()) +
                    " numbers, wanted " + std::to_string(series.width / 2));
  }
  return (at::tensor(divisors) * series.wave_numbers()).reciprocal();
}

using Frequencies = std::shared_ptr<const RopeFrequencies>;
using Scaling = Frequencies (*)(Attributes&, const Series&);

Frequencies fixed(at::Tensor frequencies) {
  return std::make_shared<const Fixed>(std::move(frequencies));
}

constexpr std::pair<std::string_view, Scaling> kScalings[] = {
    {"default", [](Attributes&, const Series& s) { return fixed(s.frequencies()); }},
    {"linear",
     [](Attributes& a, const Series& s) { return fixed(s.frequencies() / positive(a, "factor")); }},
    {"llama3", [](Attributes& a, const Series& s) { return fixed(llama3(a, s)); }},
    {"yarn", [](Attributes& a, const Series& s) { return fixed(yarn(a, s)); }},
    {"dynamic",
     [](Attributes& a, const Series& s) -> Frequencies {
       const int64_t context = a.integer("context", 1, kMost);
       if (s.width <= 2) a.fail("a dynamic scaling wants a width above 2");
       return std::make_shared<const Dynamic>(s, positive(a, "factor"), context);
     }},
    {"longrope",
     [](Attributes& a, const Series& s) -> Frequencies {
       const int64_t original = a.integer("original", 1, kMost);
       return std::make_shared<const LongRope>(divided(a, s, "short"), divided(a, s, "long"),
                                               original);
     }},
};

}  // namespace

std::shared_ptr<const RopeFrequencies> read_rope_frequencies(Attributes& attributes) {
  const Series series{attributes.integer("width", 2, kMostWidth), positive(attributes, "theta")};
  if (series.width % 2 != 0) attributes.fail("attribute 'width' is odd");
  return attributes.choice<Scaling>("scaling", kScalings)(attributes, series);
}

}  // namespace qspec
