#include "engine/text/metaspace.h"

#include "engine/text/utf8.h"

namespace qspec {

std::string metaspace_mark(const Component& from) {
  const std::string& mark = from.text("replacement");
  if (utf8_length(mark) != 1) {
    throw from.refusal(ErrorKind::kCheckpoint,
                       "found '" + printable(mark) + "', wanted one character", "replacement");
  }
  return mark;
}

MetaspacePrepends metaspace_prepends(const Component& from) {
  const std::string scheme = from.text("prepend_scheme", "always");
  // Older files say it with a boolean, which wins when it says no.
  if (!from.boolean("add_prefix_space", true)) return MetaspacePrepends::kNever;
  if (scheme == "first") return MetaspacePrepends::kFirst;
  if (scheme == "always") return MetaspacePrepends::kAlways;
  if (scheme == "never") return MetaspacePrepends::kNever;
  throw from.unknown("prepend_scheme", scheme,
                     std::vector<std::string>{"first", "always", "never"});
}

}  // namespace qspec
