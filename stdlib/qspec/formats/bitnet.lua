-- BitNet b1.58: ternary weights.
--
-- Source: transformers 5.17, utils/quantization_config.py BitNetQuantConfig,
-- quantizers/quantizer_bitnet.py and integrations/bitnet.py.

local ternary = require "qspec.layouts.bitnet_ternary"

local M = {
  name = "bitnet",
  summary = "ternary weights (BitNet b1.58), four rows to a byte",
  methods = { "bitnet" },
  layouts = { ternary },
  fallbacks = {
    "bitlinear divides by weight_scale and autobitlinear multiplies: with the wrong linear_class "
      .. "every weight is off by the square of its scale, and nothing says so",
    "quantization_mode online rounds dense weights in every forward pass; nothing is packed",
  },
}

M.fields = {
  { name = "linear_class", type = "string", default = "bitlinear",
    allowed = { "bitlinear", "autobitlinear" } },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "bitnet" },
  { name = "quantization_mode", type = "string", default = "offline",
    allowed = { "online", "offline" } },
  { name = "rms_norm_eps", type = "number", default = 1e-6, nullable = true },
  { name = "use_rms_norm", type = "boolean", default = false },
}

--- What a config asks for; nothing of the files when weights are rounded as the model runs.
function M.requested(q)
  local auto = q.linear_class == "autobitlinear"
  if auto and q.quantization_mode == "online" then return nil end
  return { bits = 2, type = "ternary", layout = ternary, skip = q.modules_to_not_convert,
    class = auto and "AutoBitLinear" or ternary.class,
    scheme = { bits = 2, auto = auto, norm = q.use_rms_norm == true } }
end

function M.converts(module)
  return module.class == "Linear"
end

--- A scale that lies on the other side of 1 than its linear_class would have it.
function M.silent(subject)
  local asked = subject.requested
  if not (asked and asked.scheme and subject:has_weights()) then return {} end
  local findings = {}
  for _, row in ipairs(subject.census.modules) do
    if row.layout == ternary and row.status == "ok" then
      local scale = row.weight:read("weight_scale"):to("float32"):reshape(1):item()
      if asked.scheme.auto and scale > 100 or not asked.scheme.auto and scale < 0.01 then
        findings[#findings + 1] = { module = row.name, key = "weight_scale",
          found = ("%g"):format(scale), wanted = asked.scheme.auto
            and "the size of a weight: autobitlinear multiplies by it"
            or "one over the size of a weight: bitlinear divides by it",
          hint = "was linear_class changed?" }
      end
    end
  end
  return findings
end

return M
