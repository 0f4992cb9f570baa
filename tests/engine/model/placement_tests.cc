#include "engine/model/placement.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <initializer_list>

#include "engine/model/options.h"

// The meta device stands for a GPU: it is another device, and every machine has it.
namespace qspec {
namespace {

Weights holding(std::initializer_list<const char*> names, const at::Tensor& weight) {
  Weights weights;
  for (const char* name : names) weights[name].weight = weight;
  return weights;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(placement_tests)

BOOST_AUTO_TEST_CASE(moves_all_tensors_of_a_module) {
  Weights weights = holding({"linear"}, at::ones({4, 2}));
  weights["linear"].bias = at::ones({4});
  weights["linear"].output_scale = at::ones({4});
  weights["int8"].int8 = Int8Weight{at::ones({4, 2}, at::kChar), at::ones({4}), 6};
  const Weights moved = placed(weights, at::kMeta);
  const ModuleWeights& linear = moved.at("linear");
  BOOST_TEST(linear.weight.is_meta());
  BOOST_TEST(linear.bias.is_meta());
  BOOST_TEST(linear.output_scale.is_meta());
  BOOST_TEST(moved.at("int8").int8->codes.is_meta());
  BOOST_TEST(moved.at("int8").int8->absmax.is_meta());
  BOOST_TEST(moved.at("int8").int8->threshold == 6);
}

BOOST_AUTO_TEST_CASE(copies_a_tensor_that_two_modules_hold_once) {
  const Weights moved = placed(holding({"embedding", "head"}, at::ones({4, 2})), at::kMeta);
  BOOST_TEST(moved.at("embedding").weight.is_same(moved.at("head").weight));
}

BOOST_AUTO_TEST_CASE(leaves_absent_tensors_absent) {
  const Weights moved = placed(holding({"linear"}, at::ones({4, 2})), at::kMeta);
  BOOST_TEST(!moved.at("linear").bias.defined());
}

BOOST_AUTO_TEST_CASE(reads_the_device_of_build_options) {
  BOOST_TEST(parse_build_options(Json::object()).device == "cpu");
  BOOST_TEST(parse_build_options({{"device", "cuda:1"}}).device == "cuda:1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
