-- An encoder-decoder as a program of the engine's primitive ops: one list for the encoder, which
-- runs once and leaves the keys and values that the decoder's layers take from the source, and one
-- for the decoder, which runs at every step.

local mlp = require "qspec.decoder.mlp"
local writer = require "qspec.builder.writer"

local M = {}

local SOURCE_MASK = "source_mask"

local function source_names(index)
  return "source_k." .. index, "source_v." .. index
end

local function heads(program, name, x, out)
  program:linear(name, x, out)
  program:emit { op = "view_heads", x = out, width = program.options.attention.head_width,
    out = out }
end

-- The bias of distances together with the mask, in the register "bias": made anew where a layer has
-- a table of its own.
local function distances(program, stack, prefix, mask, both_ways)
  local distance = program.options.distance
  program:emit_module({ op = "distance_bias", keys = "keys", like = "x",
    longest = distance.longest, both_ways = both_ways, out = "bias" },
    prefix .. stack.self .. distance.weight)
  program:emit { op = "masked_bias", bias = "bias", mask = mask, out = "bias" }
end

local function attend(program, k, v, bias, name)
  local a = program.options.attention
  program:emit { op = "sdpa", q = "q", k = k, v = v, mask = bias, scale = a.scale, out = "heads" }
  program:emit { op = "merge_heads", x = "heads", out = "heads" }
  program:linear(name .. a.out, "heads", "branch")
end

-- x plus a branch that reads the norm of x.
local function half(program, norm, branch)
  program:norm(norm, "x", "normed")
  branch()
  program:add("x", "branch", "x")
  if program.options.within_fp16 then
    program:emit { op = "within_fp16", x = "x", out = "x" }
  end
end

local function self_attention(program, name, cache_layer)
  local a = program.options.attention
  heads(program, name .. a.q, "normed", "q")
  heads(program, name .. a.k, "normed", "k")
  heads(program, name .. a.v, "normed", "v")
  if cache_layer then
    program:emit { op = "cache", layer = cache_layer, k = "k", v = "v", out = { "k", "v" } }
  end
  attend(program, "k", "v", "bias", name)
end

local function cross_attention(program, name, index)
  local k, v = source_names(index)
  heads(program, name .. program.options.attention.q, "normed", "q")
  program:emit { op = "even_bias", q = "q", k = k, out = "source_bias" }
  program:emit { op = "masked_bias", bias = "source_bias", mask = SOURCE_MASK,
    out = "source_bias" }
  attend(program, k, v, "source_bias", name)
end

local function embeddings(program, stack, taps)
  program:emit_module({ op = "embedding", ids = "ids", out = "x" }, stack.embed)
  program:tap("x", taps .. "embeddings")
end

-- One stack of layers; `mask` is a register, `taps` a prefix of the names of hidden states.
local function layers(program, stack, mask, taps)
  for index = 0, stack.layers - 1 do
    local prefix = stack.prefix:format(index)
    if index == 0 or program.options.distance.each_layer then
      distances(program, stack, prefix, mask, not stack.cross)
    end
    half(program, prefix .. stack.self_norm, function()
      self_attention(program, prefix .. stack.self, stack.cross and index or nil)
    end)
    if stack.cross then
      half(program, prefix .. stack.cross_norm, function()
        cross_attention(program, prefix .. stack.cross, index)
      end)
    end
    half(program, prefix .. stack.mlp_norm, function()
      mlp.emit_of(program, program.options.mlp, prefix .. stack.mlp, "normed", "branch")
    end)
    program:tap("x", taps .. "layer." .. index)
  end
  program:norm(stack.final_norm, "x", "x")
  program:tap("x", taps .. "final")
end

-- What each layer of the decoder takes from the source is the same at every step.
local function leave_for_decoder(program, decoder)
  local a, kept = program.options.attention, { SOURCE_MASK }
  for index = 0, decoder.layers - 1 do
    local k, v = source_names(index)
    local name = decoder.prefix:format(index) .. decoder.cross
    heads(program, name .. a.k, "x", k)
    heads(program, name .. a.v, "x", v)
    kept[#kept + 1], kept[#kept + 2] = k, v
  end
  return kept
end

local function encoder(description, modules)
  local program = writer.new(description, modules)
  embeddings(program, description.encoder, "encoder.")
  program:emit { op = "token_mask", keys = "keys", out = SOURCE_MASK }
  layers(program, description.encoder, SOURCE_MASK, "encoder.")
  return { kept = leave_for_decoder(program, description.decoder), ops = program.ops }
end

local function decoder(description, modules)
  local program, head = writer.new(description, modules), description.head
  embeddings(program, description.decoder, "")
  program:emit { op = "attention_mask", keys = "keys", like = "x", window = 0, always = true,
    out = "mask" }
  layers(program, description.decoder, "mask", "")
  program:emit { op = "last_position", x = "x", out = "x" }
  program:scale("x", head.hidden_scale)
  program:linear(head.weight, "x", "logits")
  return program.ops
end

--- The program as plain data.
---@param description table checked by encoder_decoder.options
---@param modules qspec.ModelModule[]
---@return table
function M.build(description, modules)
  local by_name = {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  return { vocab_size = description.vocabulary, layers = description.decoder.layers,
    logits = "logits", encoder = encoder(description, by_name),
    ops = decoder(description, by_name) }
end

return M
