#include "bindings/torch/result_tables.h"

#include "bindings/boundary.h"

namespace qspec::lua {
namespace {

void set(lua_State* L, const char* key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

void set_count(lua_State* L, const char* key, int64_t value) {
  push_integer(L, value);
  lua_setfield(L, -2, key);
}

// Absent when the engine found none (-1).
void set_position(lua_State* L, const char* key, int64_t from_zero) {
  if (from_zero >= 0) set_count(L, key, from_zero + 1);
}

}  // namespace

void push_sizes(lua_State* L, at::IntArrayRef sizes) {
  lua_createtable(L, static_cast<int>(sizes.size()), 0);
  for (size_t i = 0; i < sizes.size(); ++i) {
    push_integer(L, sizes[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
}

void push_comparison(lua_State* L, const Comparison& comparison) {
  lua_createtable(L, 0, 12);
  set(L, "sqnr_db", comparison.sqnr_db());
  set(L, "cosine", comparison.cosine());
  set(L, "nmse", comparison.nmse());
  set(L, "max_abs_error", comparison.max_abs_error);
  set_position(L, "worst_index", comparison.max_error_index);
  set_position(L, "worst_block", comparison.worst_block);
  set(L, "worst_block_sqnr_db", comparison.worst_block_sqnr_db());
  set(L, "worst_block_power", comparison.worst_block_power());
  set(L, "gain", comparison.gain());
  set_count(L, "count", comparison.count);
  set_count(L, "nonfinite_decoded", comparison.nonfinite_decoded);
  set_count(L, "nonfinite_baseline", comparison.nonfinite_baseline);
}

void push_statistics(lua_State* L, const Statistics& statistics) {
  lua_createtable(L, 0, 9);
  set_count(L, "count", statistics.count);
  set_count(L, "nan", statistics.nan);
  set_count(L, "inf", statistics.inf);
  set_count(L, "zeros", statistics.zeros);
  set(L, "min", statistics.min);
  set(L, "max", statistics.max);
  set(L, "mean", statistics.mean);
  set(L, "absmax", statistics.absmax);
  set(L, "rms", statistics.rms);
}

void push_code_statistics(lua_State* L, const CodeStatistics& statistics) {
  lua_createtable(L, 0, 5);
  set_count(L, "lowest_code", statistics.lowest_code);
  push_sizes(L, statistics.histogram);
  lua_setfield(L, -2, "histogram");
  set_count(L, "scales", statistics.scales);
  set_count(L, "zero_scales", statistics.zero_scales);
  set_count(L, "nonfinite_scales", statistics.nonfinite_scales);
}

}  // namespace qspec::lua
