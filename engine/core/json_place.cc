#include "engine/core/json_place.h"

#include <cctype>

namespace qspec {
namespace {

bool is_number_byte(char byte) {
  return std::string_view("0123456789+-.eE").find(byte) != std::string_view::npos;
}

bool is_letter(char byte) {
  return std::isalpha(static_cast<unsigned char>(byte)) != 0;
}

bool is_escaped(std::string_view text, size_t at) {
  size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 != 0;
}

size_t string_begin(std::string_view text, size_t end) {
  size_t begin = end - 2;
  while (begin > 0 && (text[begin] != '"' || is_escaped(text, begin))) --begin;
  return begin;
}

size_t number_begin(std::string_view text, size_t end) {
  size_t begin = is_number_byte(text[end - 1]) ? end : end - 1;
  while (begin > 0 && is_number_byte(text[begin - 1])) --begin;
  return begin;
}

size_t word_begin(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  return begin;
}

bool follows_comma(std::string_view text, size_t at) {
  const size_t before = text.substr(0, at).find_last_not_of(" \t\r\n");
  return before != text.npos && text[before] == ',';
}

}  // namespace

size_t json_token_begin(std::string_view text, size_t end, JsonToken token) {
  if (token == JsonToken::kString) return string_begin(text, end);
  if (token == JsonToken::kNumber) return number_begin(text, end);
  if (token == JsonToken::kWord) return word_begin(text, end);
  return end - 1;
}

std::string line_and_column(std::string_view text, size_t at) {
  size_t line = 1;
  size_t line_begin = 0;
  for (size_t i = 0; i < at && i < text.size(); ++i) {
    if (text[i] != '\n') continue;
    ++line;
    line_begin = i + 1;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(at - line_begin + 1);
}

std::string json_mistake(std::string_view text, size_t at) {
  if (at >= text.size()) return "the text ends too early: cut off in a download or a copy?";
  const char found = text[at];
  if (found == 'N' || found == 'I') return "python writes NaN and Infinity; JSON has neither";
  if (found == '/' || found == '#') return "JSON has no comments";
  if (found == '\'') return "JSON strings stand between double quotes";
  const bool is_closing = found == '}' || found == ']';
  return is_closing && follows_comma(text, at) ? "a comma before it is one too many" : "";
}

}  // namespace qspec
