-- VPTQ's storage: vectors along the rows of a column, of a codebook and a residual codebook, packed
-- together; outlier columns of their own; columns permuted, scaled and shifted.
--
-- Source: vptq 0.0.5, layers/vqlinear.py, utils/pack.py (unpack_index_tensor) and ops/quant_gemm.py
-- (dequant): each sum and product is in the dtype of the centroids.

local outcome = require "qspec.outcome"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "vptq",
  summary = "codebook vectors along the rows, with residuals, outliers and permuted columns",
  class = "VQuantLinear",
  least_sqnr_db = 3,
}

local FLOATS = { "F16", "BF16", "F32" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.indices ~= nil or t["centroids.weight"] ~= nil
end

-- The second of a pair is of the main vectors, the first of outliers.
local function pair(value, position)
  local found = type(value) == "table" and value[position]
  return type(found) == "number" and found or -1
end

local function bits_of(count)
  if not small_values.is_count(count, 2 ^ 24) or count < 2 then return nil end
  local bits = math.floor(math.log(count) / math.log(2) + 1e-9)
  return 2 ^ bits == count and bits or nil
end

--- The sizes of a layer's settings, or nil and the reason.
---@param layer any an object of config_for_layers
---@return table|nil, string|nil
function M.settings(layer)
  if type(layer) ~= "table" then return nil, "no settings for it in config_for_layers" end
  local s = { vector = pair(layer.vector_lens, 2), centroids = pair(layer.num_centroids, 2),
    residuals = pair(layer.num_res_centroids, 2), groups = layer.group_num or 1,
    group_size = layer.group_size, outliers = layer.outlier_size or 0,
    outlier_vector = pair(layer.vector_lens, 1), outlier_centroids = pair(layer.num_centroids, 1),
    norm = layer.enable_norm ~= false, perm = layer.enable_perm ~= false }
  s.bits = bits_of(s.centroids)
  s.residual_bits = s.residuals > 0 and bits_of(s.residuals) or 0
  if not s.bits or not s.residual_bits then return nil, "num_centroids that is no power of two" end
  if not small_values.is_count(s.vector, 4096) then return nil, "no valid vector_lens" end
  if not (small_values.is_count(s.groups, 65536) and small_values.is_count(s.group_size)) then
    return nil, "no valid group_num or group_size"
  end
  s.has_outliers = s.outlier_vector > 1 and s.outlier_centroids > 0
  if s.has_outliers and not small_values.is_count(s.outliers) then
    return nil, "no valid outlier_size"
  end
  return s
end

--- How the weight is stored: only the config says it.
function M.scheme(w)
  local asked = w.request and w.request.scheme
  local settings = asked and asked.settings
  if not settings then
    return { bits = 0, type = "vptq", shape = w.shape, entries = w.tensors,
      reason = "the config has no settings for this layer" }
  end
  local per_weight = (settings.bits + settings.residual_bits) / settings.vector
  return { bits = per_weight, type = "vptq", shape = w.shape, settings = settings }
end

local function unknown_tensors(scheme)
  local list = {}
  for suffix, entry in pairs(scheme.entries or {}) do
    list[#list + 1] = { suffix = suffix, dtype = entry.dtype, shape = entry.shape }
  end
  table.sort(list, function(a, b) return a.suffix < b.suffix end)
  return list
end

local function main_tensors(s, shape)
  local words = math.ceil(s.group_size * (s.bits + s.residual_bits) / 32)
  local list = {
    { suffix = "indices", dtype = "I32", codes = true,
      shape = { s.groups, math.ceil(shape[1] / s.vector), words } },
    { suffix = "centroids.weight", dtype = FLOATS, shape = { s.groups, s.centroids * s.vector } },
  }
  if s.residuals > 0 then
    list[3] = { suffix = "res_centroids.weight", dtype = FLOATS,
      shape = { s.groups, s.residuals * s.vector } }
  end
  return list
end

local function outlier_tensors(list, s, shape)
  list[#list + 1] = { suffix = "outlier_indices", dtype = { "I16", "F16" },
    shape = { 1, math.ceil(shape[1] / s.outlier_vector), s.outliers } }
  list[#list + 1] = { suffix = "outlier_centroids.weight", dtype = FLOATS,
    shape = { 1, s.outlier_centroids * s.outlier_vector } }
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module)
  local s, shape = scheme.settings, scheme.shape or module.shape
  if not s then return unknown_tensors(scheme) end
  local list = main_tensors(s, shape)
  if s.has_outliers then outlier_tensors(list, s, shape) end
  if s.norm then
    list[#list + 1] = { suffix = "weight_scale", dtype = FLOATS, shape = { shape[2] } }
    list[#list + 1] = { suffix = "weight_bias", dtype = FLOATS, shape = { shape[2] } }
  end
  if s.perm then
    list[#list + 1] = { suffix = "perm", dtype = { "I16", "I64" }, shape = { shape[2] } }
  end
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  local s = w.scheme.settings
  if not s then return {} end
  local columns = s.groups * s.group_size + (s.has_outliers and s.outliers or 0)
  if columns == w.shape[2] then return {} end
  return { { key = "group_size", found = ("%d columns in groups and outliers"):format(columns),
    wanted = ("%d"):format(w.shape[2]) } }
end

--- Why it is not decoded.
function M.undecodable(w)
  local s = w.scheme.settings
  if not s then return w.scheme.reason end
  if s.residual_bits > s.bits then
    return "its residual indices have more bits than the main ones, which vptq's own decoder cuts"
  end
end

local function as_unsigned(tensor)
  local wide = tensor:dtype() == "float16" and tensor:view("int16") or tensor
  return wide:to("int64"):mod(65536)
end

-- Outlier columns, which come first: their vectors are indexed one by one.
local function outlier_columns(w, s)
  local indices = as_unsigned(w:read("outlier_indices")):select(1, 1)
  local sizes, vector = indices:shape(), s.outlier_vector
  local book = w:read("outlier_centroids.weight"):reshape(s.outlier_centroids, vector)
  return book:index_select(1, indices:reshape(-1) + 1):reshape(sizes[1], sizes[2], vector)
    :transpose(2, 3):reshape(sizes[1] * vector, sizes[2]):narrow(1, 1, w.shape[1])
end

-- The place of each column after the permutation: its inverse.
local function inverse(perm)
  local places, from = {}, perm:tolist(2 ^ 20)
  for place, column in ipairs(from) do places[column + 1] = place end
  for column = 1, #from do
    if not places[column] then
      error(outcome.error("checkpoint", ("perm leaves out column %d"):format(column - 1)), 0)
    end
  end
  return places
end

-- Which column each one is, from 0: the inverse of the permutation.
local function order(w)
  return require("host.tensor").from(inverse(as_unsigned(w:read("perm"))), "int64") - 1
end

--- The weight, decoded in the dtype of the centroids.
function M.decode(w)
  local s = w.scheme.settings
  local function book(suffix, size) return w:read(suffix):reshape(s.groups, size, s.vector) end
  return require("host.tensor").vector_columns { indices = w:read("indices"), bits = s.bits,
    residual_bits = s.residual_bits, vectors = book("centroids.weight", s.centroids),
    residuals = s.residuals > 0 and book("res_centroids.weight", s.residuals) or nil,
    leading = s.has_outliers and outlier_columns(w, s) or nil, order = s.perm and order(w) or nil,
    scales = s.norm and w:read("weight_scale") or nil,
    shifts = s.norm and w:read("weight_bias") or nil, shape = w.shape }
end

local function index_problem(problems, key, indices, size)
  local most = indices:max()
  if most >= size then
    problems[#problems + 1] = { key = key, found = ("index %d"):format(most),
      wanted = ("below %d, the vectors of the codebook"):format(size) }
  end
end

local function permutation_problem(problems, perm, columns)
  local seen, valid = {}, true
  for _, column in ipairs(perm:tolist(2 ^ 20)) do
    valid = valid and column < columns and not seen[column]
    seen[column] = true
  end
  if not valid then
    problems[#problems + 1] = { key = "perm", found = "columns twice or out of range",
      wanted = ("each of %d columns once"):format(columns) }
  end
end

--- Faults in the values: indices past the end, a permutation that is none, centroids that are no
--- numbers.
function M.value_problems(w)
  local problems, s = {}, w.scheme.settings
  if not s then return problems end
  for _, suffix in ipairs { "centroids.weight", "res_centroids.weight", "weight_scale",
      "weight_bias" } do
    local stats = w.tensors[suffix] and w:read(suffix):stats()
    if stats and stats.nan + stats.inf > 0 then
      problems[#problems + 1] = { key = suffix, found = ("%d not finite"):format(stats.nan
        + stats.inf), wanted = "finite numbers" }
    end
  end
  if s.has_outliers then
    index_problem(problems, "outlier_indices", as_unsigned(w:read("outlier_indices")),
      s.outlier_centroids)
  end
  if s.perm then permutation_problem(problems, as_unsigned(w:read("perm")), w.shape[2]) end
  return problems
end

return M
