-- One small whole weight of each of the rarer formats, for tests to decode and to damage.

local made = require "synthetic_model"
local tensor = require "host.tensor"

local M = {}

M.name, M.out, M.ins = "model.layers.0.mlp.up_proj", 8, 64

--- A number that looks random and is the same every time, from 0 to 250.
function M.noise(a, b)
  return (a * 37 + b * 101 + a * b * 7) % 251
end

--- A tensor of f(row, column), both from 1.
function M.filled(rows, columns, dtype, f)
  local values = {}
  for r = 1, rows do
    values[r] = {}
    for c = 1, columns do values[r][c] = (f or M.noise)(r, c) end
  end
  return tensor.from(values, dtype), values
end

local function scales(rows, columns, dtype)
  return (M.filled(rows, columns, dtype or "float32", function(r, c) return (r + c) / 32 end))
end

local function number(value, dtype)
  return tensor.from({ value }, dtype):reshape({})
end

local function text(value)
  return tensor.from({ value:byte(1, -1) }, "uint8")
end

local function ternary(r, c)
  local byte = 0
  for field = 0, 3 do byte = byte + 4 ^ field * (M.noise(r, c + field) % 3) end
  return byte
end

local NOT_CONVERTED = '"modules_to_not_convert":[]'

local function config(method, rest)
  return ('{"quant_method":"%s",%s}'):format(method, rest)
end

M.all = {
  hqq = { config = config("hqq", '"quant_config":{"weight_quant_params":{"nbits":4,"group_size":32,'
      .. '"axis":1}},"skip_modules":[]'),
    tensors = function()
      return { W_q = M.filled(8, 32, "uint8"), scale = scales(16, 1, "float16"),
        zero = scales(16, 1, "float16"), shape = tensor.from({ 8, 64 }, "int64"),
        nbits = number(4, "int32"), group_size = number(32, "int32"), axis = number(1, "int32"),
        packing = text "4bit_u8", compute_dtype = text "torch.float16",
        view_as_float = number(0, "uint8"), quant_scale = number(0, "uint8"),
        quant_zero = number(0, "uint8"), channel_wise = number(1, "uint8") }
    end },
  quanto = { config = config("quanto", '"weights":"int8",' .. NOT_CONVERTED),
    tensors = function()
      return { ["weight._data"] = M.filled(8, 64, "int8", function(r, c)
          return M.noise(r, c) - 125 end), ["weight._scale"] = scales(8, 1),
        input_scale = number(1), output_scale = number(1) }
    end },
  bitnet = { config = config("bitnet", NOT_CONVERTED),
    tensors = function()
      return { weight = M.filled(2, 64, "uint8", ternary), weight_scale = tensor.from { 4 } }
    end },
  metal = { config = config("metal", '"bits":4,"group_size":32,' .. NOT_CONVERTED),
    tensors = function()
      return { weight = M.filled(8, 8, "int64"):to("int32"):view("uint32"),
        scales = scales(8, 2), qbiases = scales(8, 2) }
    end },
  mlx = { config = '{"group_size":32,"bits":4}',
    tensors = function()
      return { weight = M.filled(8, 8, "int64"):to("int32"):view("uint32"),
        scales = scales(8, 2), biases = scales(8, 2) }
    end },
  gemma = { config = config("gemma", '"num_bits":4,' .. NOT_CONVERTED),
    tensors = function()
      return { weight = M.filled(8, 32, "uint8"), weight_scale = scales(8, 1),
        input_activation_scale = number(0), output_activation_scale = number(0) }
    end },
  aqlm = { config = config("aqlm", '"num_codebooks":2,"nbits_per_codebook":4,"in_group_size":8,'
      .. '"out_group_size":2,"linear_weights_not_to_quantize":[]'),
    tensors = function()
      return { codes = M.filled(4, 16, "int64", function(r, c) return M.noise(r, c) % 16 - 8 end)
          :to("int8"):reshape(4, 8, 2), scales = scales(4, 1):reshape(4, 1, 1, 1),
        codebooks = M.filled(32, 16, "float32"):reshape(2, 16, 2, 8) }
    end },
  vptq = { config = config("vptq", ('"config_for_layers":{"%s":{"vector_lens":[-1,4],'
      .. '"num_centroids":[-1,16],"num_res_centroids":[-1,4],"group_num":1,"group_size":64,'
      .. '"outlier_size":0,"enable_norm":true,"enable_perm":true}},"shared_layer_config":{},%s')
      :format("model.layers.0.mlp.up_proj", NOT_CONVERTED)),
    tensors = function()
      return { indices = M.filled(2, 12, "int64"):to("int32"):reshape(1, 2, 12),
        ["centroids.weight"] = M.filled(1, 64, "float32"),
        ["res_centroids.weight"] = M.filled(1, 16, "float32"),
        weight_scale = scales(1, 64):reshape(64), weight_bias = scales(1, 64):reshape(64),
        perm = tensor.arange(0, 63):to("int16") }
    end },
  quark = { config = config("quark", '"global_quant_config":{"weight":{"dtype":"int8","qscheme":'
      .. '"per_channel"}},"exclude":[]'),
    tensors = function()
      return { weight = M.filled(8, 64, "int8", function(r, c) return M.noise(r, c) - 125 end),
        weight_scale = scales(1, 8):reshape(8) }
    end },
  eetq = { config = config("eetq", NOT_CONVERTED),
    tensors = function()
      return { weight = M.filled(64, 8, "int8", function(r, c) return M.noise(r, c) - 125 end),
        weight_scales = scales(1, 8, "float16"):reshape(8) }
    end },
  spqr = { config = config("spqr", ('"shapes":{"%s.row_offsets.shape":9,"%s.col_vals.shape":4,'
      .. '"%s.in_perm.shape":32},%s'):format("model.layers.0.mlp.up_proj",
      "model.layers.0.mlp.up_proj", "model.layers.0.mlp.up_proj", NOT_CONVERTED)),
    tensors = function()
      return { dense_weights = tensor.zeros({ 64 }, "int64"), row_offsets = tensor.zeros({ 9 },
        "int32"), col_vals = tensor.zeros({ 4 }, "int32"), in_perm = tensor.zeros({ 32 }, "int32") }
    end },
  higgs = { config = config("higgs", '"bits":4,"group_size":64,' .. NOT_CONVERTED),
    tensors = function()
      return { weight = tensor.zeros({ 2, 64 }, "int16"), scales = scales(8, 1),
        tables = scales(1, 16):reshape(16), tables2 = tensor.zeros({ 16, 16, 2 }) }
    end },
  fp_quant = { config = config("fp_quant", '"forward_dtype":"nvfp4",' .. NOT_CONVERTED),
    tensors = function()
      return { qweight = M.filled(8, 32, "uint8"), scales = M.filled(8, 4, "uint8"),
        weight_global_scale = tensor.from { 10 }, act_global_scale = tensor.from { 10 },
        forward_hadamard_matrix = tensor.zeros({ 16, 16 }),
        backward_hadamard_matrix = tensor.zeros({ 16, 16 }) }
    end },
  sinq = { config = config("sinq", '"nbits":4,' .. NOT_CONVERTED),
    tensors = function()
      return { W_q = M.filled(8, 32, "uint8"), ["meta.scale"] = scales(8, 2) }
    end },
}

--- The names of all formats, sorted.
function M.names()
  local names = {}
  for name in pairs(M.all) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- A specimen as a model, its tensors changed first.
---@param format string
---@param change (fun(tensors: table))|nil by suffix
---@param text_of_config string|nil instead of its own
function M.take(format, change, text_of_config)
  local specimen = M.all[format]
  local tensors, full = specimen.tensors(), {}
  if change then change(tensors) end
  for suffix, value in pairs(tensors) do full[M.name .. "." .. suffix] = value end
  local asked = text_of_config or specimen.config
  return made.take { modules = { made.linear(M.name, M.out, M.ins) }, tensors = full,
    config = asked, raw = { quantization_config = require("host.json").decode(asked, "config") } }
end

return M
