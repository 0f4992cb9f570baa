-- The experts of gpt-oss in MXFP4: e2m1 codes, 32 along the input share an exponent byte.
--
-- Source: transformers 5.17, integrations/mxfp4.py (Mxfp4GptOssExperts, convert_moe_packed_tensors)
-- and OCP Microscaling Formats 1.0. Element 2k of a row is in the low nibble of byte k. weight =
-- code * 2^(scale - 127): a power of two, so that nothing is rounded but what bfloat16 cannot hold.
-- `blocks` is [experts, out, in / 32, 16]; transformers keeps its decoded experts as [experts, in,
-- out], the census as [experts, out, in].

local scale_faults = require "qspec.layouts.scale_faults"
local small_floats = require "qspec.layouts.small_floats"
local StoredWeight = require "qspec.stored_weight"

local M = {
  name = "mxfp4-experts",
  summary = "e2m1 codes of fused experts, one exponent byte for 32",
  class = "Mxfp4GptOssExperts",
  footprint_note = "transformers hands packed experts to its kernels: they are no parameters, and "
    .. "its footprint leaves them out",
  least_sqnr_db = 14,  -- e2m1 in blocks of 32 lies at 18 to 20; swapped nibbles at -3
}

local BLOCK = 32

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  return holding.tensors._blocks ~= nil or holding.tensors._scales ~= nil
end

function M.scheme(w)
  return { bits = 4, type = "mxfp4", shape = w.shape, group_size = BLOCK,
    gain = small_floats.MX_GAIN }
end

--- The tensors of the weight. transformers hands them to its kernels as attributes.
function M.tensors(scheme, module)
  local shape = scheme.shape or StoredWeight.logical_shape(module)
  local groups = math.ceil(shape[3] / BLOCK)
  return {
    { suffix = "_blocks", dtype = "U8", shape = { shape[1], shape[2], groups, BLOCK / 2 },
      role = "attribute", codes = true },
    { suffix = "_scales", dtype = "U8", shape = { shape[1], shape[2], groups }, role = "attribute",
      hint = "codes without their exponents" },
  }
end

--- Contradictions that headers show.
function M.problems(w)
  if w.shape[3] % BLOCK == 0 then return {} end
  return { { key = "_blocks", found = ("rows of %d values"):format(w.shape[3]),
    wanted = "a multiple of 32" } }
end

--- One scale for 32 columns in float32, [experts * out, in / 32].
function M.scales(w)
  local scales = w:read("_scales")
  return small_floats.scales(scales):reshape(-1, scales:shape()[3])
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local scales = w:read("_scales")
  return require("host.tensor").coded { codes = w:read("_blocks"), bits = 4,
    values = small_floats.e2m1, scales = scales, scale_values = small_floats.scale_values(scales),
    block = { 1, BLOCK }, shape = w.shape }
end

--- Faults in the values: an exponent of 255 is no number.
function M.value_problems(w)
  local problems = {}
  scale_faults.check(problems, "_scales", M.scales(w))
  return problems
end

return M
