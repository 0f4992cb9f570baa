-- Multi-head latent attention: keys and values are read from a narrow row that all heads share.

local M = {}

local function query_modules(listing, options, prefix)
  local a, l = options.attention, options.attention.latent
  local rows = a.heads * (l.plain + l.rope)
  if not l.q_down then return listing:linear(prefix .. l.q, options.width, rows, false) end
  listing:linear(prefix .. l.q_down, options.width, l.q_rank, a.bias)
  listing:norm(prefix .. l.q_norm, options.norm, { l.q_rank })
  listing:linear(prefix .. l.q_up, l.q_rank, rows, false)
end

--- Lists the modules.
function M.list(listing, options, prefix)
  local a, l = options.attention, options.attention.latent
  query_modules(listing, options, prefix)
  listing:linear(prefix .. l.kv_down, options.width, l.rank + l.rope, a.bias)
  listing:norm(prefix .. l.kv_norm, options.norm, { l.rank })
  listing:linear(prefix .. l.kv_up, l.rank, a.heads * (l.plain + l.value), false)
  listing:linear(prefix .. a.out, a.heads * l.value, options.width, a.out_bias)
end

local function queries(program, prefix, x)
  local l = program.options.attention.latent
  if not l.q_down then return program:linear(prefix .. l.q, x, "q") end
  program:linear(prefix .. l.q_down, x, "q")
  program:norm_of({ kind = "rms_norm", eps = l.eps }, prefix .. l.q_norm, "q", "q")
  program:linear(prefix .. l.q_up, "q", "q")
end

local function split(program, x, sizes, out)
  program:emit { op = "split", x = x, sizes = sizes, out = out }
end

--- Leaves "q", "k" and "v" as [B, H, T, width] each.
function M.project(program, index, prefix, x, rotate)
  local a, l = program.options.attention, program.options.attention.latent
  local rope = a.rope[index]
  queries(program, prefix, x)
  program:emit { op = "view_heads", x = "q", width = l.plain + l.rope, out = "q" }
  split(program, "q", { l.plain, l.rope }, { "q", "q_turned" })
  rotate(program, rope, "q_turned")
  program:emit { op = "concat", x = "q", y = "q_turned", out = "q" }
  program:linear(prefix .. l.kv_down, x, "kv")
  split(program, "kv", { l.rank, l.rope }, { "kv", "k_turned" })
  program:emit { op = "view_heads", x = "k_turned", width = l.rope, out = "k_turned" }
  rotate(program, rope, "k_turned")
  program:norm_of({ kind = "rms_norm", eps = l.eps }, prefix .. l.kv_norm, "kv", "kv")
  program:linear(prefix .. l.kv_up, "kv", "kv")
  program:emit { op = "view_heads", x = "kv", width = l.plain + l.value, out = "kv" }
  split(program, "kv", { l.plain, l.value }, { "k", "v" })
  program:emit { op = "concat", x = "k", y = "k_turned", out = "k" }
end

return M
