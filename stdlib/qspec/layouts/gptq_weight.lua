-- GPTQ's storage: codes of 2 to 8 bits along the input features, a scale and a zero point a group.
--
-- Source: GPTQModel 7.7, nn_modules/qlinear/__init__.py (_register_gptq_buffers,
-- PackableQuantLinear.dequantize_weight). A column of qweight [ceil(in * bits / 32), out] is one
-- stream of bits: code i of output feature o at bits bits * i of column o, lowest first, also for 3
-- bits, which straddle words. weight[o, i] = scales[g, o] * (code - zero[g, o]), g = g_idx[i].
--
-- GPTQModel multiplies in float16: the product, exact in float32, is rounded to float16 once. What
-- is decoded here to float16 is equal bit for bit to TorchLinear.dequantize_weight(); float32 keeps
-- the product that it rounds.

local StoredWeight = require "qspec.stored_weight"
local code_values = require "qspec.layouts.code_values"
local faults = require "qspec.layouts.grouped_faults"
local gptq_groups = require "qspec.layouts.gptq_groups"
local gptq_zeros = require "qspec.layouts.gptq_zeros"
local grouped_bits = require "qspec.layouts.grouped_bits"
local grouped_floors = require "qspec.layouts.grouped_floors"
local scale_faults = require "qspec.layouts.scale_faults"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "gptq",
  summary = "codes of 2 to 8 bits with a scale and a zero point a group, in 32-bit words",
  class = "TorchLinear",  -- the kernel that runs everywhere; GPUs get another of the same tensors
}

local words = grouped_bits.words

local function sizes(module)
  local shape = StoredWeight.logical_shape(module)
  return shape[1], shape[2]
end

local function is_matrix(entry)
  return entry ~= nil and #entry.shape == 2
end

--- Whether qweight is packed along the output features, as AWQ does.
local function is_packed_along_rows(entry, out_features, in_features)
  return is_matrix(entry) and entry.shape[2] ~= out_features
    and (entry.shape[1] == in_features or entry.shape[1] == out_features)
end

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding, module)
  local t = holding.tensors
  if #module.shape ~= 2 then return false end
  if t.g_idx and (t.qweight or t.qzeros or t.scales) then return true end
  if not t.qweight then return t.qzeros ~= nil and t.qzeros.dtype == "I32" and t.scales ~= nil end
  return t.qweight.dtype == "I32" and not is_packed_along_rows(t.qweight, sizes(module))
end

-- How many bits explain the rows of qweight: what was asked for, if it does.
local function stored_bits(w, asked)
  local entry = w.tensors.qweight
  return is_matrix(entry) and grouped_bits.of_words(entry.shape[1], w.shape[2], asked) or asked
end

-- The group size that explains the rows of scales: what was asked for, if it does.
local function stored_groups(w, asked)
  local entry, in_features = w.tensors.scales, w.shape[2]
  local wanted = asked and math.ceil(in_features / asked)
  local rows = is_matrix(entry) and entry.shape[1]
  if not rows or rows == 0 or rows == wanted then return asked, wanted end
  local zeros = w.tensors.qzeros
  local agrees = is_matrix(zeros) and zeros.shape[1] == rows
  if agrees and in_features % rows == 0 then return in_features / rows, rows end
  return asked, wanted or rows
end

local ASSUMED = { bits = 4, group_size = 128, zeros = "v1", needs_groups = false }

--- How the weight is stored: read from the shapes, with the config as a hint.
function M.scheme(w)
  local asked = w.request and w.request.scheme or ASSUMED
  local bits = stored_bits(w, asked.bits) or ASSUMED.bits
  local group_size, groups = stored_groups(w, asked.group_size)
  local scheme = {}
  for key, value in pairs(asked) do scheme[key] = value end
  scheme.bits, scheme.type = bits, "int" .. bits
  scheme.group_size, scheme.groups = group_size, groups
  scheme.least_sqnr_db = grouped_floors.least_sqnr_db(bits)
  return scheme
end

-- The shifts with which GPTQModel's kernel unpacks are buffers of each module.
local function shift_buffers(list, bits)
  local first, last
  if bits == 3 then
    first, last = { 1, 1, 3, 12 }, { 1, 3, 12, 1 }
  elseif 32 % bits == 0 then
    first, last = { 1, 1, 32 / bits }, { 1, 32 / bits, 1 }
  else
    return
  end
  list[#list + 1] = { suffix = "wf_unsqueeze_zero", dtype = "I32", shape = first, role = "buffer",
    loaded = "int32", made = true }
  list[#list + 1] = { suffix = "wf_unsqueeze_neg_one", dtype = "I32", shape = last,
    role = "buffer", loaded = "int32", made = true }
end

--- The tensors of the weight: buffers to transformers, all of them.
function M.tensors(scheme, module)
  local out_features, in_features = sizes(module)
  local groups = scheme.groups or math.ceil(in_features / scheme.group_size)
  local list = {
    { suffix = "qweight", dtype = "I32", shape = { words(in_features, scheme.bits), out_features },
      codes = true },
    { suffix = "qzeros", dtype = "I32", shape = { groups, words(out_features, scheme.bits) } },
    { suffix = "scales", dtype = { "F16", "BF16", "F32" }, shape = { groups, out_features },
      loaded = "float16" },
    { suffix = "g_idx", dtype = "I32", shape = { in_features }, optional = scheme.no_groups,
      hint = "without it the library takes the features in order" },
  }
  for _, tensor in ipairs(list) do tensor.role = "buffer" end
  list[5] = faults.bias(module, out_features)
  if not scheme.no_shifts then shift_buffers(list, scheme.bits) end
  return list
end

local function groups_of(w)
  return w.tensors.g_idx and w:read("g_idx")
    or gptq_groups.in_order(w.shape[2], w.scheme.group_size)
end

local function zeros_of(w)
  return gptq_zeros.read(w:read("qzeros"), w.scheme.bits, w.shape[1], w.scheme.zeros)
end

--- One scale a row and group: [out, groups], as floats, which are quicker to transpose.
function M.scales(w)
  return require("host.tensor").transpose_words(w:read("scales"):to("float16"):to("float32"))
end

--- Why these codes cannot be decoded, or nil.
function M.undecodable(w)
  if w.scheme.planar then
    return "format gptq_p keeps bit planes in an order of its own, which is not known here"
  end
end

--- The codes as a matrix, for those who change them.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  local tensor = require("host.tensor")
  return tensor.unpack_stream(tensor.transpose_words(w:read("qweight")), w.scheme.bits, w.shape[2])
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  local rows = require("host.tensor").pack_stream(codes:contiguous(), w.scheme.bits)
  return rows:contiguous():view("int32"):t():contiguous()
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local tensor, scheme = require("host.tensor"), w.scheme
  local groups, size = groups_of(w), scheme.group_size
  local in_order = size ~= nil and groups:equal(gptq_groups.in_order(w.shape[2], size))
  return tensor.coded { columns = w:read("qweight"), bits = scheme.bits,
    values = code_values.unsigned(scheme.bits), scales = M.scales(w),
    zeros = gptq_zeros.rows(w:read("qzeros"), scheme.bits, w.shape[1], scheme.zeros),
    groups = not in_order and groups or nil,
    block = { 1, size or w.shape[2] }, shape = w.shape }
end

--- GPTQModel's TorchLinear (nn_modules/qlinear/torch.py, 7.7) decodes to float16, casts to the
--- model's dtype and adds the bias to the rounded product. That of 4 bits on a CPU
--- (TorchCpuAvx512Linear) sums a group's codes in fp32 before their scale comes in, also in fp32,
--- so that no weight is ever rounded, and adds the bias there.
function M.linear(w, _, device)
  if w.scheme.bits ~= 4 then
    return { weight = M.pack(w), bias_apart = true, decode_dtype = "float16" }
  end
  return { weight = M.pack(w), compute_dtype = device == "cpu" and "float32" or nil }
end

-- Symmetric codes have their zero point in the middle, all of them.
local function check_symmetric(problems, w)
  local scheme = w.scheme
  if not scheme.symmetric then return end
  local middle = 2 ^ (scheme.bits - 1)
  local wrong = zeros_of(w):ne(middle):count_nonzero()
  if wrong == 0 then return end
  local other = gptq_zeros.OTHER[scheme.zeros]
  local as_other = gptq_zeros.read(w:read("qzeros"), scheme.bits, w.shape[1], other)
  local swapped = as_other:ne(middle):count_nonzero() == 0
  problems[#problems + 1] = { key = "qzeros", found = ("%d zero points other than %d"):format(wrong,
    middle), wanted = ("%d everywhere, as sym says"):format(middle), hint = swapped
    and "these are zero points of the format's other version: every weight is off by one step"
    or "the zero points are damaged, or sym is not true of them" }
end

-- Kernels that are told that the features are in order do not look at g_idx.
local function check_order(problems, w, groups)
  local scheme = w.scheme
  if scheme.act_order == nil then return end
  local in_order = groups:equal(gptq_groups.in_order(w.shape[2], scheme.group_size))
  if not scheme.act_order and not in_order then
    problems[#problems + 1] = { key = "g_idx", found = "input features out of order",
      wanted = "groups in order, as desc_act false says",
      hint = "kernels that trust desc_act do not read g_idx" }
  elseif scheme.shuffled and in_order and scheme.groups > 1 then
    problems[#problems + 1] = { key = "g_idx", found = "input features in order",
      wanted = "the order of the activations, as desc_act without static_groups says",
      hint = "the order was lost, or desc_act is not true of this weight" }
  end
end

local function check_groups(problems, w)
  local scheme, groups = w.scheme, groups_of(w)
  local problem = gptq_groups.out_of_range(groups, scheme.groups)
    or scheme.group_size and gptq_groups.uneven(groups, scheme.groups, scheme.group_size)
  if problem then
    problems[#problems + 1] = problem
    return nil
  end
  if scheme.group_size then check_order(problems, w, groups) end
  return groups
end

-- Zero scales over codes that differ. The codes are unpacked only where there are zero scales.
local function check_lost(problems, w, groups)
  local tensor, scheme = require("host.tensor"), w.scheme
  local codes = tensor.unpack_stream(tensor.transpose_words(w:read("qweight")), scheme.bits,
    w.shape[2])
  codes = codes:index_select(2, gptq_groups.sorted(groups, scheme.groups))
  scale_faults.lost(problems, "scales", M.scales(w):to("float32"), codes, scheme.group_size)
end

--- Faults in the values of the companions.
function M.value_problems(w)
  local problems = {}
  local stats = faults.scales(problems, w:read("scales"), w.scheme.signed_scales)
  local groups = check_groups(problems, w)
  if not w.scheme.planar then
    check_symmetric(problems, w)
    if groups and stats.zeros > 0 and small_values.is_count(w.scheme.group_size) then
      check_lost(problems, w, groups)
    end
  end
  faults.dropped_bias(problems, w)
  return problems
end

return M
