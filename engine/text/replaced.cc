#include "engine/text/replaced.h"

#include "engine/text/utf8.h"

namespace qspec {

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, begin)) {
    result.append(text.substr(begin, at - begin)).append(with);
    begin = at + what.size();
    if (!what.empty()) continue;
    if (begin == text.size()) break;
    const size_t bytes = utf8_at(text, begin).bytes;
    result += text.substr(begin, bytes);
    begin += bytes;
  }
  return result.append(text.substr(begin));
}

}  // namespace qspec
