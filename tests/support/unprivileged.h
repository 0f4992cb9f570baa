#pragma once

#include <unistd.h>

namespace qspec::test {

// While it lives, permissions hold even when the tests are run by the superuser.
class Unprivileged {
 public:
  Unprivileged() {
    if (user_ == 0) is_changed_ = ::seteuid(kNobody) == 0;
  }
  ~Unprivileged() {
    if (is_changed_) is_changed_ = ::seteuid(user_) != 0;
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t user_ = ::geteuid();
  bool is_changed_ = false;
};

}  // namespace qspec::test
