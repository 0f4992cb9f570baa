-- A decoder as a program of the engine's primitive ops (engine/model/ops): a list of instructions
-- that read and write registers by name.

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
  self:emit_module({ op = "linear", x = x, out = out }, name)
end

function Program:norm(name, x, out)
  local norm = self.options.norm
  self:emit_module({ op = norm.kind, eps = norm.eps, x = x, out = out }, name)
end

function Program:add(x, y, out)
  self:emit { op = "add", x = x, y = y, out = out }
end

function Program:tap(x, name)
  self:emit { op = "tap", x = x, name = name }
end

-- Once for all layers: what attention adds to its scores.
local function biases(program)
  local alibi = program.options.attention.alibi
  program:emit { op = "alibi", keys = "keys", slopes = alibi, like = "x", out = "alibi" }
  program:emit { op = "causal_mask", keys = "keys", like = "x", out = "mask" }
end

local function attention(program, index, prefix)
  local a = program.options.attention
  program:linear(prefix .. a.fused, "normed", "qkv")
  program:emit { op = "split_heads", x = "qkv", layout = a.layout, heads = a.heads,
    kv_heads = a.kv_heads, width = a.head_width, out = { "q", "k", "v" } }
  program:emit { op = "cache", layer = index, k = "k", v = "v", out = { "k", "v" } }
  program:emit { op = "biased_scores", q = "q", k = "k", bias = "alibi",
    scale = 1 / math.sqrt(a.head_width), out = "scores" }
  program:add("scores", "mask", "scores")
  program:emit { op = "softmax", x = "scores", out = "weights" }
  program:emit { op = "weighted_values", weights = "weights", v = "v", out = "heads" }
  program:emit { op = "merge_heads", x = "heads", out = "heads" }
  program:linear(prefix .. a.out, "heads", "branch")
end

local function mlp(program, prefix)
  local m = program.options.mlp
  program:linear(prefix .. m.up, "normed", "inner")
  program:emit { op = "activation", x = "inner", kind = m.activation, out = "inner" }
  program:linear(prefix .. m.down, "inner", "branch")
end

local function layer(program, index)
  local block, prefix = program.options.block, program.options.prefix:format(index)
  local residual = block.residual_from_norm and "normed" or "x"
  program:norm(prefix .. block.norm1, "x", "normed")
  attention(program, index, prefix)
  program:add("branch", residual, "x")
  program:norm(prefix .. block.norm2, "x", "normed")
  mlp(program, prefix)
  program:add("branch", residual, "x")
  program:tap("x", "layer." .. index)
end

--- The program as plain data.
---@param options table checked by decoder.options
---@param modules table[] from decoder.modules
---@return table
function M.build(options, modules)
  local by_name = {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  local program = setmetatable({ ops = {}, options = options, modules = by_name }, Program)
  local embed = options.embed
  program:emit_module({ op = "embedding", ids = "ids", out = "x" }, embed.weight)
  if embed.norm then program:norm(embed.norm, "x", "x") end
  program:tap("x", "embeddings")
  biases(program)
  for index = 0, options.layers - 1 do layer(program, index) end
  program:norm(options.final_norm, "x", "x")
  program:tap("x", "final")
  program:emit { op = "last_position", x = "x", out = "x" }
  program:linear(options.head.weight, "x", "logits")
  return { vocab_size = options.vocabulary, layers = options.layers, logits = "logits",
    ops = program.ops }
end

return M
