#pragma once

#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string_view>

#include "engine/core/error.h"

namespace qspec::test {

// The Error that `action` throws; the test ends when it throws none.
template <class Action>
Error refusal(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  BOOST_FAIL("nothing was refused");
  throw std::logic_error("not reached");
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace qspec::test
