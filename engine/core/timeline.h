#pragma once

#include <string>
#include <vector>

namespace qspec {

// What took how long in this process, from several threads: begun once, asked once at the end.
struct Span {
  std::string name;
  double began = 0;  // seconds since the process began
  double seconds = 0;
};

// The scope of one span.
class Timed {
 public:
  explicit Timed(std::string name);
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  std::string name_;
  double began_;
};

// For what is no scope. Seconds as seconds_since_start() gives them.
void add_span(std::string name, double began, double ended);
double seconds_since_start();

// In the order in which they ended.
std::vector<Span> timeline();

}  // namespace qspec
