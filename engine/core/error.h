#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace qspec {

// Who has to act on an error, and so which exit code it becomes (stdlib/qspec/outcome.lua).
enum class ErrorKind {
  kUsage,        // the command line
  kSpec,         // a spec file
  kCheckpoint,   // a file of the model is refused: malformed, truncated, inconsistent
  kUnsupported,  // well formed, but nothing here can read or run it
  kDevice,       // no such device, out of memory, device lost
  kIo,           // the operating system said no
  kInternal,     // a fault of qspec itself
};

std::string_view kind_name(ErrorKind kind);

// The only exception type that engine code throws.
//
// `message` says what was found and what was wanted; `where` is a file with its byte offset, or a
// tensor; `hint` is the likely cause or the next step. Build it fluently:
//
//   throw Error(ErrorKind::kCheckpoint, "header is 7 bytes, need at least 8").at(path, 0);
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  Error& at(std::string where);
  Error& at(std::string_view file, unsigned long long byte_offset);
  Error& hint(std::string hint);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string where_;
  std::string hint_;
};

// `text` with control characters and bytes that are not UTF-8 written as \xNN, cut at 200 bytes:
// names from a file are shown only through this.
std::string printable(std::string_view text);

// `path` likewise, but whole: a person has to find it.
std::string printable_path(std::string_view path);

}  // namespace qspec
