---@meta
-- A module of the census: a named part of the model that holds parameters.

---@class qspec.Module
local Module = {}

---@return string name "transformer.h.0.mlp.dense_h_to_4h"
function Module:name() end

---@return string class as transformers calls it: "Linear4bit", "LayerNorm"
function Module:class() end

---@return "linear"|"embedding"|"norm"
function Module:kind() end

---@return string|nil format the format that its weight is stored in, nil in full precision
function Module:format() end

---@return string|nil logical_dtype what the bytes stand for: "nf4", "int8", "float16"
function Module:logical_dtype() end

---@return string requested what the config asks for: "nf4" or "dense"
function Module:requested() end

---@return "ok"|"fell_back"|"unrequested"|"missing"|"mismatched"|"broken"
function Module:status() end

---@return string|nil reason why it was left alone, when it was
function Module:reason() end

---@return boolean
function Module:is_quantized() end

--- Of the weight in full precision: [out, in] of a linear.
---@return integer[]
function Module:shape() end

--- Parameters as transformers holds them.
---@return table<string, { dtype: string, shape: integer[], stored: string }>
function Module:parameters() end

--- Names of the tensors beside the weight: "weight.absmax", "SCB".
---@return string[]
function Module:companions() end

--- A tensor as stored: "weight" (packed), "bias", or a companion.
---@param suffix string? "weight" unless given
---@return qspec.Tensor
function Module:tensor(suffix) end

--- The weight decoded to fp32 [out, in]; as stored when it is not quantized.
---@return qspec.Tensor
function Module:weight() end

--- The packed weight, for decode, compare and statistics.
---@return qspec.Packed
function Module:packed() end

--- One absmax a block (4-bit) or a row (int8), fp32, double quantization undone.
---@return qspec.Tensor
function Module:scales() end

return Module
