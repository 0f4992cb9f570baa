-- A decoder as a program of the engine's primitive ops.

local attention = require "qspec.decoder.attention"
local mlp = require "qspec.decoder.mlp"
local writer = require "qspec.builder.writer"

local M = {}

local function embeddings(program)
  local embed = program.options.embed
  program:emit_module({ op = "embedding", ids = "ids", out = "x" }, embed.weight)
  if embed.scale then
    program:emit { op = "scale", x = "x", by = embed.scale, rounded = embed.scale_rounded,
      out = "x" }
  end
  if embed.project_in then program:linear(embed.project_in, "x", "x") end
  if embed.norm then program:norm(embed.norm, "x", "x") end
  if embed.sinusoids then
    program:emit { op = "sinusoids", positions = "positions", offset = embed.sinusoids.offset,
      width = program.options.width, like = "x", out = "places" }
    program:add("x", "places", "x")
  end
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
  local program = writer.new(options, by_name)
  embeddings(program)
  for index = 0, options.layers - 1 do layer(program, index) end
  head(program)
  return { vocab_size = options.vocabulary, layers = options.layers, logits = "logits",
    ops = program.ops }
end

return M
