-- FP-Quant's storage: e2m1 codes of Hadamard-rotated columns, or their decoded values.
--
-- Source: transformers 5.17, integrations/fp_quant.py; fp_quant 0.3, module/linear.py
-- (FPQuantLinear): buffers of scales and rotations, zero-size parameters for what is not stored.

local M = {
  name = "fp-quant",
  summary = "e2m1 codes of Hadamard-rotated columns, mxfp4 or nvfp4 scales",
  class = "FPQuantLinear",
}

local FLOATS = { "BF16", "F32", "F16" }
local GROUPS = { mxfp4 = 32, nvfp4 = 16 }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.forward_hadamard_matrix ~= nil or t.dqweight ~= nil
    or t.qweight ~= nil and t.weight_global_scale ~= nil
end

local function storage_of(w, asked)
  if w.tensors.qweight then return "packed" end
  if w.tensors.dqweight then return "pseudo" end
  return w.tensors.weight and "master" or asked.storage or "packed"
end

local function mode_of(w, asked)
  local codes, scales = w.tensors.qweight, w.tensors.scales
  if not codes or not scales or #scales.shape ~= 2 then return asked.mode or "nvfp4" end
  return scales.shape[2] * 32 == w.shape[2] and "mxfp4" or "nvfp4"
end

--- How the weight is stored.
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local mode = mode_of(w, asked)
  local rotation = w.tensors.forward_hadamard_matrix
  return { bits = 4, type = "float4_e2m1", mode = mode, storage = storage_of(w, asked),
    rotation = rotation and rotation.shape[1] or asked.rotation or 16, shape = w.shape,
    group_size = GROUPS[mode] }
end

local function stored(scheme, shape)
  if scheme.storage == "pseudo" then
    return { { suffix = "dqweight", dtype = FLOATS, shape = shape, codes = true } }
  elseif scheme.storage == "master" then
    return { { suffix = "weight", dtype = FLOATS, shape = shape, codes = true } }
  end
  return {
    { suffix = "qweight", dtype = "U8", shape = { shape[1], math.ceil(shape[2] / 2) },
      codes = true },
    { suffix = "scales", dtype = { "U8", "F8_E4M3", "F8_E8M0" },
      shape = { shape[1], math.ceil(shape[2] / GROUPS[scheme.mode]) } },
  }
end

--- The tensors of the weight: rotations and global scales are buffers.
function M.tensors(scheme, module)
  local list = stored(scheme, scheme.shape or module.shape)
  for _, name in ipairs { "weight_global_scale", "act_global_scale" } do
    list[#list + 1] = { suffix = name, dtype = FLOATS, shape = { 1 }, role = "buffer" }
  end
  for _, name in ipairs { "forward_hadamard_matrix", "backward_hadamard_matrix" } do
    list[#list + 1] = { suffix = name, dtype = FLOATS, role = "buffer",
      shape = { scheme.rotation, scheme.rotation } }
  end
  return list
end

--- Why it is not decoded.
function M.undecodable(w)
  if w.scheme.storage == "master" then
    return "it holds the master weight, which is rounded in every forward pass"
  end
  return "its columns are rotated, and the factor of its global scale depends on the kernels"
end

return M
