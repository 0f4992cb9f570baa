#include "engine/tensor/stored_tensor.h"

#include <boost/test/unit_test.hpp>

#include "engine/tensor/bits.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/sizes.h"
#include "tests/engine/tensor/tensors.h"
#include "tests/support/refusal.h"

namespace qspec {
namespace {

using test::has;
using test::refusal;

std::shared_ptr<Overlay> overlay() {
  return Overlay::over(Checkpoint::open(QSPEC_SOURCE_DIR "/examples/models/bloom-tiny"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stored_tensor_tests)

BOOST_AUTO_TEST_CASE(reads_a_tensor_with_its_dtype_and_shape) {
  const at::Tensor weight = read_tensor(*overlay(), "transformer.h.0.mlp.dense_h_to_4h.weight");
  BOOST_TEST(weight.scalar_type() == at::kHalf);
  BOOST_TEST(weight.sizes() == at::IntArrayRef({1024, 256}));
  BOOST_TEST(weight.abs().max().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(what_is_stored_is_read_back_to_the_bit) {
  const auto changed = overlay();
  const at::ScalarType types[] = {at::kFloat,  at::kHalf, at::kBFloat16, at::kByte,
                                  at::kChar,   at::kLong, at::kBool,     at::kFloat8_e4m3fn,
                                  at::kDouble, at::kInt,  at::kUInt16,   at::kFloat8_e8m0fnu};
  for (const at::ScalarType type : types) {
    const at::Tensor values = at::arange(1, 7).reshape({2, 3}).to(type);
    store_tensor(*changed, "values", values);
    BOOST_TEST(equal_bits(read_tensor(*changed, "values"), values), at::toString(type));
  }
}

BOOST_AUTO_TEST_CASE(a_view_is_stored_in_its_own_order) {
  const auto changed = overlay();
  const at::Tensor values = at::arange(6).reshape({2, 3}).t();
  store_tensor(*changed, "values", values);
  BOOST_TEST(read_tensor(*changed, "values").equal(values));
}

BOOST_AUTO_TEST_CASE(scalars_and_empty_tensors_are_stored) {
  const auto changed = overlay();
  store_tensor(*changed, "scalar", at::scalar_tensor(3, at::kFloat));
  store_tensor(*changed, "empty", at::empty({0, 4}));
  BOOST_TEST(read_tensor(*changed, "scalar").dim() == 0);
  BOOST_TEST(read_tensor(*changed, "empty").sizes() == at::IntArrayRef({0, 4}));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_bool_read_as_true) {
  const auto changed = overlay();
  changed->put("flags", Dtype::kBool, {3}, {std::byte{0}, std::byte{1}, std::byte{7}});
  const at::Tensor flags = read_tensor(*changed, "flags");
  BOOST_TEST(flags.scalar_type() == at::kBool);
  BOOST_TEST(flags.sum().item<int64_t>() == 2);
}

BOOST_AUTO_TEST_CASE(a_missing_name_suggests_the_nearest) {
  const Error error = refusal([] { read_tensor(*overlay(), "transformer.ln_f.weigth"); });
  BOOST_TEST(has(error.hint(), "transformer.ln_f.weight"));
}

BOOST_AUTO_TEST_CASE(packed_four_bit_floats_have_no_tensor) {
  const auto changed = overlay();
  changed->put("w", Dtype::kF4, {2}, {std::byte{0}});
  BOOST_TEST((refusal([&] { read_tensor(*changed, "w"); }).kind() == ErrorKind::kUnsupported));
}

BOOST_AUTO_TEST_CASE(an_unknown_dtype_name_suggests_the_nearest) {
  BOOST_TEST(has(refusal([] { scalar_type_named("flaot16"); }).hint(), "float16"));
  BOOST_TEST(scalar_type_named("bfloat16") == at::kBFloat16);
  BOOST_TEST(torch_name(at::kFloat8_e4m3fn) == "float8_e4m3fn");
}

BOOST_AUTO_TEST_CASE(a_result_over_64_gib_is_refused_before_it_is_made) {
  BOOST_TEST((refusal([] {
                checked_size({1 << 20, 1 << 20}, at::kFloat);
              }).kind() == ErrorKind::kDevice));
  BOOST_TEST((refusal([] {
                checked_size({INT64_MAX, 8}, at::kFloat);
              }).kind() == ErrorKind::kCheckpoint));
  const at::Tensor row = at::zeros({1, 1 << 20}), column = at::zeros({1 << 20, 1});
  BOOST_TEST(has(refusal([&] { check_broadcast(row, column); }).message(), "64 GiB"));
  BOOST_TEST(has(refusal([&] { check_matmul(column, row); }).message(), "64 GiB"));
  BOOST_CHECK_NO_THROW(check_matmul(row, column));
}

BOOST_AUTO_TEST_CASE(bits_tell_zeros_apart_and_nans_alike) {
  const at::Tensor nan = at::full({1}, std::nanf(""));
  BOOST_TEST(equal_bits(nan, nan.clone()));
  BOOST_TEST(!equal_bits(at::zeros({1}), -at::zeros({1})));
  BOOST_TEST(!equal_bits(at::zeros({2}), at::zeros({1, 2})));
  BOOST_TEST(!equal_bits(at::zeros({2}), at::zeros({2}, at::kInt)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
