-- Writes a program of the engine's primitive ops (engine/model/ops): a list of instructions that
-- read and write registers by name.

local M = {}

---@class qspec.ProgramWriter
---@field ops table[] the instructions
---@field options table
---@field modules table<string, table>
---@field made table<string, boolean> registers that are made once for all layers
local Program = {}
Program.__index = Program

function Program:emit(instruction)
  self.ops[#self.ops + 1] = instruction
end

-- An instruction with the weight of a module.
function Program:emit_module(instruction, name)
  local module = self.modules[name]
  instruction.weight, instruction.shape = name, module.shape
  if module.kind ~= "embedding" then instruction.bias = module.bias end
  self:emit(instruction)
end

function Program:linear(name, x, out)
  local module, special = self.modules[name], self.options.linear
  local is_special = module.class == special.class
  self:emit_module({ op = "linear", x = x, transposed = module.transposed,
    separate_bias = is_special and special.separate_bias or nil, out = out }, name)
end

local NORMS = {
  layer_norm = { op = "layer_norm" },
  layer_norm_plus_one = { op = "layer_norm", plus_one = true },
  layer_norm_fp32 = { op = "layer_norm_fp32" },
  rms_norm = { op = "rms_norm", weighting = "after_rounding" },
  rms_norm_own = { op = "rms_norm", weighting = "after_own_rounding" },
  rms_norm_fp32 = { op = "rms_norm", weighting = "before_rounding" },
  rms_norm_plus_one = { op = "rms_norm", weighting = "one_plus" },
}

--- A norm that is not the model's own.
function Program:norm_of(norm, name, x, out)
  if norm.kind:find("_bare$") then  -- without parameters
    return self:emit { op = norm.kind, x = x, eps = norm.eps, out = out }
  end
  local how = NORMS[norm.kind]
  self:emit_module({ op = how.op, weighting = how.weighting, plus_one = how.plus_one,
    eps = norm.eps, x = x, out = out }, name)
end

function Program:norm(name, x, out)
  self:norm_of(self.options.norm, name, x, out)
end

function Program:add(x, y, out)
  self:emit { op = "add", x = x, y = y, out = out }
end

function Program:scale(x, by)
  if by then self:emit { op = "scale", x = x, by = by, out = x } end
end

function Program:divide(x, by)
  self:emit { op = "divide", x = x, by = by, out = x }
end

function Program:tap(x, name)
  self:emit { op = "tap", x = x, name = name }
end

--- A writer with nothing written.
---@param options table the model's description: `norm`, and what is special of its `linear`s
---@param modules table<string, table> by name
function M.new(options, modules)
  return setmetatable({ ops = {}, options = options, modules = modules, made = {}, ropes = {},
    rope_count = 0 }, Program)
end

return M
