#pragma once

#include <string>
#include <string_view>

namespace qspec {

// Replaces the file at `path` by `text`, or leaves it as it is: readers, and a machine that loses
// power, see the old text or the new one, never a part. The text goes to `.<name>.<pid>.tmp` in the
// same folder first; that file is gone when this throws Error(kIo).
void write_file_atomically(const std::string& path, std::string_view text);

// Adds `text` at the end of a file, made when there is none, and lets it reach the disk. Texts of
// two processes do not mix; a process that is killed meanwhile may leave a part. Throws Error(kIo).
void append_to_file(const std::string& path, std::string_view text);

}  // namespace qspec
