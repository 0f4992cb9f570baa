-- A decoder as a program of the engine's primitive ops (engine/model/ops): a list of instructions
-- that read and write registers by name.

local attention = require "qspec.decoder.attention"
local mlp = require "qspec.decoder.mlp"

local M = {}

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
  rms_norm_fp32 = { op = "rms_norm", weighting = "before_rounding" },
  rms_norm_plus_one = { op = "rms_norm", weighting = "one_plus" },
}

--- A norm that is not the decoder's own.
function Program:norm_of(norm, name, x, out)
  if norm.kind == "layer_norm_bare" then
    return self:emit { op = "layer_norm_bare", x = x, eps = norm.eps, out = out }
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

local function embeddings(program)
  local embed = program.options.embed
  program:emit_module({ op = "embedding", ids = "ids", out = "x" }, embed.weight)
  if embed.scale then
    program:emit { op = "scale", x = "x", by = embed.scale, rounded = embed.scale_rounded,
      out = "x" }
  end
  if embed.project_in then program:linear(embed.project_in, "x", "x") end
  if embed.norm then program:norm(embed.norm, "x", "x") end
  if embed.positions then
    program:emit_module({ op = "embedding", ids = "positions", offset = embed.position_offset,
      out = "places" }, embed.positions)
    program:add("x", "places", "x")
  end
  program:tap("x", "embeddings")
end

local PARALLEL = {
  x_attention_mlp = { "x", "attended", "branch" },
  attention_mlp_x = { "attended", "branch", "x" },
  mlp_attention_x = { "branch", "attended", "x" },
}

-- Attention and MLP side by side.
local function parallel_layer(program, index, prefix)
  local block = program.options.block
  program:norm(prefix .. block.norm1, "x", "normed")
  attention.emit(program, index, prefix, "normed", "attended")
  if block.norm2 then program:norm(prefix .. block.norm2, "x", "normed") end
  mlp.emit(program, index, prefix, "normed", "branch")
  local order = PARALLEL[block.parallel]
  program:add(order[1], order[2], "sum")
  program:add("sum", order[3], "x")
end

-- One of the two halves of a layer: norm, branch, norm, sum.
local function half(program, prefix, before, after, branch)
  local block = program.options.block
  local first = before and not block.post_norm
  if first then program:norm(prefix .. before, "x", "normed") end
  local input = first and "normed" or "x"
  branch(input)
  if after then program:norm(prefix .. after, "branch", "branch") end
  program:scale("branch", block.residual_scale)
  program:add("branch", block.residual_from_norm and input or "x", "x")
  if before and block.post_norm then program:norm(prefix .. before, "x", "x") end
end

local function layer(program, index)
  local block, prefix = program.options.block, program.options.prefix:format(index)
  if block.parallel then
    parallel_layer(program, index, prefix)
  else
    half(program, prefix, block.norm1, block.post1, function(input)
      attention.emit(program, index, prefix, input, "branch")
    end)
    half(program, prefix, block.norm2, block.post2, function(input)
      mlp.emit(program, index, prefix, input, "branch")
    end)
  end
  program:tap("x", "layer." .. index)
end

local function head(program)
  local options = program.options
  local given = options.head
  if options.final_norm then program:norm(options.final_norm, "x", "x") end
  program:tap("x", "final")
  if options.embed.project_out then program:linear(options.embed.project_out, "x", "x") end
  program:emit { op = "last_position", x = "x", out = "x" }
  if given.hidden_divide then program:divide("x", given.hidden_divide) end
  program:linear(given.weight, "x", "logits")
  program:scale("logits", given.scale)
  if given.divide then program:divide("logits", given.divide) end
  if given.softcap then
    program:emit { op = "softcap", x = "logits", cap = given.softcap, out = "logits" }
  end
end

--- The program as plain data.
---@param options table checked by decoder.options
---@param modules table[] from decoder.modules
---@return table
function M.build(options, modules)
  local by_name = {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  local program = setmetatable({ ops = {}, options = options, modules = by_name, made = {},
    ropes = {}, rope_count = 0 }, Program)
  embeddings(program)
  for index = 0, options.layers - 1 do layer(program, index) end
  head(program)
  return { vocab_size = options.vocabulary, layers = options.layers, logits = "logits",
    ops = program.ops }
end

return M
