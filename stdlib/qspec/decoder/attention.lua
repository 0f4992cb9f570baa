-- Attention of a layer: its modules, and its part of the program.

local latent = require "qspec.decoder.latent"

local M = {}

-- Rows of a fused projection.
local function fused_rows(a)
  return (a.heads + 2 * a.kv_heads) * a.head_width
end

local function head_norms(listing, a, prefix)
  local norm = a.norm
  local function list(name, heads)
    if norm.over == "each_head" then
      for head = 0, heads - 1 do
        listing:norm(("%s%s.norms.%d"):format(prefix, name, head), norm, { a.head_width })
      end
    elseif norm.over == "projection" then
      listing:norm(prefix .. name, norm, { heads * a.head_width })
    else
      listing:norm(prefix .. name, norm,
        norm.over == "head_rows" and { heads, a.head_width } or { a.head_width })
    end
  end
  list(norm.q, a.heads)
  list(norm.k, a.kv_heads)
end

local PROJECTIONS = {
  q = function(a) return a.heads * a.head_width, a.bias end,
  k = function(a) return a.kv_heads * a.head_width, a.bias end,
  v = function(a) return a.kv_heads * a.head_width, a.bias end,
  fused = function(a) return fused_rows(a), a.bias end,
}

local function order_of(a)
  return a.order or (a.fused and { "fused", "out" } or { "q", "k", "v", "out" })
end

--- Lists the modules.
function M.list(listing, options, prefix)
  local a = options.attention
  if a.latent then return latent.list(listing, options, prefix) end
  for _, part in ipairs(order_of(a)) do
    if part == "out" then
      listing:linear(prefix .. a.out, a.heads * a.head_width, options.width, a.out_bias)
    else
      local rows, bias = PROJECTIONS[part](a)
      listing:linear(prefix .. a[part], options.width, rows, bias)
    end
  end
  if a.norm then head_norms(listing, a, prefix) end
  if a.out_norm then
    listing:norm(prefix .. a.out_norm, options.norm, { a.heads * a.head_width })
  end
  if a.sinks then listing:parameter(prefix .. a.sinks, { a.heads }) end
  local constants = a.constants
  if constants then
    listing:buffers(prefix .. constants.name, constants.class, constants.buffers)
  end
end

-- The program -------------------------------------------------------------------------------------

-- Tables and masks are the same for all layers: each is made once, under a name that says which.
local function once(program, key, instruction, out)
  if not program.made[key] then
    program.made[key], instruction.out = true, out
    program:emit(instruction)
  end
  return out
end

local function rope_registers(program, rope)
  local names = program.ropes[rope]
  if not names then
    program.rope_count = program.rope_count + 1
    names = { "cos" .. program.rope_count, "sin" .. program.rope_count }
    program.ropes[rope] = names
    program:emit { op = "rope_table", positions = "positions", like = "x", width = rope.width,
      theta = rope.theta, scaling = rope.scaling, amplitude = rope.amplitude,
      factor = rope.factor, low = rope.low, high = rope.high, original = rope.original,
      context = rope.context, short = rope.short, long = rope.long,
      precise = rope.precise_table, out = names }
  end
  return names
end

--- Rotates the register `x`.
function M.rotate(program, rope, x)
  local names = rope_registers(program, rope)
  program:emit { op = "rope", x = x, cos = names[1], sin = names[2], style = rope.style,
    precise = rope.precise, out = x }
end

local function normed_heads(program, a, prefix)
  for _, part in ipairs { "q", "k" } do
    local name = prefix .. a.norm[part]
    if a.norm.over == "each_head" then
      local weights, heads = {}, part == "q" and a.heads or a.kv_heads
      for head = 1, heads do weights[head] = ("%s.norms.%d"):format(name, head - 1) end
      program:emit { op = "layer_norm_by_head", x = part, weights = weights,
        shape = { a.head_width }, eps = a.norm.eps, out = part }
    else
      program:norm_of(a.norm, name, part, part)
    end
  end
end

local function clip(program, a, register)
  if a.clip then
    program:emit { op = "clamp", x = register, low = -a.clip, high = a.clip, out = register }
  end
end

local function fused_projection(program, a, prefix, x)
  program:linear(prefix .. a.fused, x, "qkv")
  clip(program, a, "qkv")
  program:emit { op = "split_heads", x = "qkv", layout = a.layout, heads = a.heads,
    kv_heads = a.kv_heads, width = a.head_width, out = { "q", "k", "v" } }
end

local function separate_projections(program, a, prefix, x)
  for _, part in ipairs { "q", "k", "v" } do program:linear(prefix .. a[part], x, part) end
  if a.query_scale then program:scale("q", a.query_scale) end
  if a.norm and a.norm.over == "projection" then normed_heads(program, a, prefix) end
  for _, part in ipairs { "q", "k", "v" } do
    clip(program, a, part)
    program:emit { op = "view_heads", x = part, width = a.head_width, out = part }
  end
end

local function is_on(part, index)
  return part and (not part.layers or part.layers(index))
end

local function projections(program, index, prefix, x)
  local a = program.options.attention
  if a.latent then return latent.project(program, index, prefix, x, M.rotate) end
  local project = a.fused and fused_projection or separate_projections
  project(program, a, prefix, x)
  local by_head = a.norm and a.norm.over ~= "projection" and is_on(a.norm, index)
  if by_head and not a.norm.after_rope then normed_heads(program, a, prefix) end
  local rope = a.rope[index]
  if rope then
    M.rotate(program, rope, "q")
    M.rotate(program, rope, "k")
  end
  if by_head and a.norm.after_rope then normed_heads(program, a, prefix) end
  local temperature = a.temperature
  if is_on(temperature, index) then
    program:emit { op = "query_temperature", x = "q", positions = "positions",
      beta = temperature.beta, original = temperature.original, first = temperature.first,
      precise = temperature.precise, out = "q" }
  end
end

local function scale_of(a)
  return a.scale or 1 / math.sqrt(a.head_width)
end

local SCORES = {}

-- BLOOM's: the positions are part of the product that makes the scores.
function SCORES.alibi(program, a)
  local bias = once(program, "alibi", { op = "alibi", keys = "keys", slopes = a.alibi, like = "x" },
    "alibi")
  program:emit { op = "biased_scores", q = "q", k = "k", bias = bias, scale = scale_of(a),
    out = "scores" }
end

function SCORES.eager(program, a)
  program:emit { op = "scores", q = "q", k = "k", scale = not a.divide and scale_of(a) or nil,
    divide = a.divide, fp32 = a.fp32_scores, out = "scores" }
  if a.steepest then
    local bias = once(program, "alibi", { op = "relative_alibi", keys = "keys", heads = a.heads,
      steepest = a.steepest }, "alibi")
    program:add("scores", bias, "scores")
  end
end

-- How far back the cache of a layer reaches, where not to the first token.
local function cached(a, index)
  return not a.whole_cache and (a.window[index] or a.chunk[index]) or nil
end

local function eager(program, index, prefix)
  local a = program.options.attention
  SCORES[a.kind](program, a)
  local window = a.window[index] or 0
  local mask = once(program, "causal" .. window, { op = "causal_mask", keys = "keys", like = "x",
    window = window, cached = cached(a, index) }, "causal" .. window)
  program:add("scores", mask, "scores")
  if a.sinks then
    program:emit_module({ op = "sink_softmax", x = "scores", out = "weights" }, prefix .. a.sinks)
  else
    program:emit { op = "softmax", x = "scores", like = "v", out = "weights" }
  end
  program:emit { op = "weighted_values", weights = "weights", v = "v", out = "heads" }
end

local function fused_attention(program, index)
  local a = program.options.attention
  local window, chunk = a.window[index] or 0, a.chunk[index] or nil
  local name = "mask" .. window .. (chunk and "_chunk" .. chunk or "")
  local mask = once(program, name, { op = "attention_mask", keys = "keys", like = "x",
    window = window, chunk = chunk, cached = cached(a, index), always = a.mask_always }, name)
  if a.alibi then
    mask = once(program, "alibi_mask" .. window, { op = "alibi_mask", keys = "keys", mask = mask,
      slopes = a.alibi, divide = math.sqrt(a.head_width), like = "x" }, "alibi_mask" .. window)
  end
  program:emit { op = "sdpa", q = "q", k = "k", v = "v", mask = mask, scale = scale_of(a),
    broadcast = a.broadcast, out = "heads" }
end

--- From the register `x` to the register `out`.
function M.emit(program, index, prefix, x, out)
  local a = program.options.attention
  projections(program, index, prefix, x)
  program:emit { op = "cache", layer = index, k = "k", v = "v", window = cached(a, index),
    out = { "k", "v" } }
  local attend = a.kind == "sdpa" and fused_attention or eager
  attend(program, index, prefix)
  program:emit { op = "merge_heads", x = "heads", out = "heads" }
  if a.out_norm then program:norm(prefix .. a.out_norm, "heads", "heads") end
  program:linear(prefix .. a.out, "heads", out)
end

return M
