-- ggml's blocks: codes of a few bits with their scales among them, one type a tensor.
--
-- Source: ggml, ggml-common.h and ggml-quants.c; the package gguf 0.19, quants.py.

local ggml_types = require "qspec.ggml_types"
local shapes = require "qspec.shapes"

local M = {
  name = "ggml",
  summary = "ggml's blocks of codes with scales among them",
  footprint_note = "as llama.cpp holds it; transformers decodes GGUF files on load",
}

--- Whether this tensor is in blocks.
function M.claims(holding)
  local weight = holding.tensors.weight
  return weight ~= nil and rawget(ggml_types, weight.dtype) ~= nil
end

-- Least SQNR in dB by bits a weight; trained weights lie some 3 dB above.
local FLOORS = { { 8, 38 }, { 6, 28 }, { 5, 22 }, { 4, 14 }, { 3, 8 }, { 2, 4 }, { 0, 0 } }

local function least_sqnr_db(bits)
  for _, row in ipairs(FLOORS) do
    if bits >= row[1] then return row[2] end
  end
end

function M.scheme(w)
  local kind = w.tensors.weight and rawget(ggml_types, w.tensors.weight.dtype)
  if not kind then return { bits = w.request and w.request.bits or 0, type = "ggml" } end
  return { bits = kind.bits, type = kind.name:lower(), stored = kind.name, shape = w.shape,
    least_sqnr_db = least_sqnr_db(kind.bits) }
end

--- What must be there: one tensor, its bytes as llama.cpp holds them.
function M.tensors(scheme, module)
  return { { suffix = "weight", dtype = scheme.stored, shape = scheme.shape or module.shape,
    codes = true, loaded = scheme.type } }
end

-- Rows of blocks in the order of the Hugging Face weight.
local function blocks(w)
  local tensor = require "host.tensor"
  local entry = w.tensors.weight
  local bytes = tensor.read_bytes(w.checkpoint, entry.name)
  if not entry.order then return bytes end
  local rows = entry.shape[1]
  return bytes:reshape(rows, entry.bytes / rows):index_select(1, entry.order(rows)):contiguous()
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  return require("host.tensor").ggml { blocks = blocks(w), type = w.tensors.weight.dtype,
    shape = w.tensors.weight.shape }
end

--- The scales that are floats in the file, in its order.
function M.scales(w)
  return require("host.tensor").ggml_scales { blocks = blocks(w), type = w.tensors.weight.dtype,
    shape = w.tensors.weight.shape }
end

--- How the model runner takes it: an embedding is looked up, so it is decoded whole.
function M.linear(w)
  if w.module.kind == "linear" then return { weight = M.pack(w) } end
  return { weight = M.pack(w):decode("float32") }
end

--- Scales that are no numbers.
function M.value_problems(w)
  local stats = M.scales(w):stats()
  if stats.nan + stats.inf == 0 then return {} end
  return { { key = "weight", found = ("%d of %d scales not finite"):format(stats.nan + stats.inf,
    shapes.count(M.scales(w):shape())), wanted = "every scale a finite number",
    hint = "the blocks are damaged, or a weight overflowed float16" } }
end

return M
