#include "engine/tensor/group_numbers.h"

#include <boost/test/unit_test.hpp>

#include "engine/tensor/bits.h"
#include "engine/tensor/code_values.h"
#include "engine/tensor/coded_weight.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

Coded weight_of(int64_t rows, int64_t columns, int64_t block) {
  Coded weight;
  weight.codes = at::randint(0, 256, {rows, columns}, at::kByte);
  weight.bits = 8;
  weight.values = at::randn({256});
  weight.block_rows = 1;
  weight.block_columns = block;
  weight.scales = at::randn({rows, (columns + block - 1) / block});
  weight.shape = {rows, columns};
  return weight;
}

// Numbers as they are stored decode as those that they are in float32.
void check_same(const Coded& stored, const Coded& wide) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    BOOST_TEST(equal_bits(CodedWeight(stored).decode(dtype), CodedWeight(wide).decode(dtype)),
               "block " << stored.block_columns);
  }
  const CodeStatistics found = CodedWeight(stored).statistics();
  BOOST_TEST(found.scales == wide.scales.numel());
}

at::Tensor floats_of(const std::vector<float>& values) {
  return at::tensor(at::ArrayRef<float>(values), at::kFloat);
}

BOOST_AUTO_TEST_SUITE(group_numbers_tests)

BOOST_AUTO_TEST_CASE(half_scales_zeros_and_shifts_decode_as_the_floats_that_they_are) {
  at::manual_seed(1);
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    for (const int64_t block : {1, 3, 16, 64, 100, 333}) {
      Coded stored = weight_of(5, 333, block);
      stored.scales = stored.scales.to(dtype);
      stored.zeros = at::randn(stored.scales.sizes()).to(dtype);
      stored.shifts = at::randn(stored.scales.sizes()).to(dtype);
      Coded wide = stored;
      wide.scales = stored.scales.to(at::kFloat);
      wide.zeros = stored.zeros.to(at::kFloat);
      wide.shifts = stored.shifts.to(at::kFloat);
      check_same(stored, wide);
    }
  }
}

BOOST_AUTO_TEST_CASE(scales_of_a_byte_stand_for_any_values) {
  at::manual_seed(2);
  for (const int64_t block : {1, 7, 16, 32, 300}) {
    Coded stored = weight_of(4, 300, block);
    stored.scales = at::randint(0, 256, stored.scales.sizes(), at::kByte);
    stored.scale_values = at::randn({256});
    Coded wide = stored;
    wide.scales = stored.scale_values.index_select(0, stored.scales.flatten().to(at::kLong))
                      .view(stored.scales.sizes());
    wide.scale_values.reset();
    check_same(stored, wide);
  }
}

BOOST_AUTO_TEST_CASE(scales_that_are_no_numbers_are_counted_as_what_they_stand_for) {
  Coded weight = weight_of(1, 32, 16);
  weight.scales = at::tensor({255, 0}).to(at::kByte).view({1, 2});
  weight.scale_values = floats_of(exponent_values());
  const CodeStatistics found = CodedWeight(weight).statistics();
  BOOST_TEST(found.nonfinite_scales == 1);
  BOOST_TEST(found.zero_scales == 0);
}

BOOST_AUTO_TEST_CASE(columns_that_name_their_groups_take_stored_scales_too) {
  at::manual_seed(3);
  Coded stored = weight_of(3, 200, 1);
  stored.groups = at::randint(0, 40, {200}, at::kInt);
  stored.scales = at::randn({3, 40}).to(at::kBFloat16);
  Coded wide = stored;
  wide.scales = stored.scales.to(at::kFloat);
  check_same(stored, wide);
}

BOOST_AUTO_TEST_CASE(one_stored_zero_for_all_is_subtracted) {
  at::manual_seed(4);
  Coded stored = weight_of(3, 64, 16);
  stored.zeros = at::full(stored.scales.sizes(), 7.5f).to(at::kHalf);
  Coded wide = stored;
  wide.zeros = stored.zeros.to(at::kFloat);
  check_same(stored, wide);
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_fit_are_refused) {
  Coded weight = weight_of(2, 32, 16);
  const auto refused = [](const Coded& wrong) {
    return std::string(refusal([&] { checked(wrong); }).what());
  };
  weight.scale_values = at::zeros({256});
  BOOST_TEST(has(refused(weight), "scales are float32, wanted bytes that stand for numbers"));
  weight.scales = at::zeros({2, 2}, at::kByte);
  weight.scale_values = at::zeros({16});
  BOOST_TEST(has(refused(weight), "scale_values has 16 elements"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
