-- What follows attention in a layer: its modules, and its part of the program.

local experts = require "qspec.decoder.experts"

local M = {}

local LIST, EMIT = {}, {}

-- Of xIELU: two parameters of one number, and two constants that files hold as well.
local LEARNED = { "alpha_p", "alpha_n", "beta", "eps" }
local LEARNED_SHAPE = { alpha_p = { 1 }, alpha_n = { 1 } }

function LIST.plain(listing, prefix, m, width)
  listing:linear(prefix .. m.up, width, m.width, m.bias)
  listing:linear(prefix .. m.down, m.width, width, m.bias)
  if m.learned then
    for _, name in ipairs(LEARNED) do
      listing:parameter(prefix .. m.learned .. name, LEARNED_SHAPE[name] or {})
    end
  end
end

function LIST.gated(listing, prefix, m, width)
  listing:linear(prefix .. m.gate, width, m.width, m.bias)
  LIST.plain(listing, prefix, m, width)
  if m.norm then listing:norm(prefix .. m.norm, listing.options.norm, { m.width }) end
end

function LIST.gated_fused(listing, prefix, m, width)
  listing:linear(prefix .. m.gate_up, width, 2 * m.width, m.bias)
  listing:linear(prefix .. m.down, m.width, width, m.bias)
end

function LIST.experts(listing, prefix, m, width)
  experts.list(listing, prefix, m, width)
  if m.shared then LIST[m.shared.kind](listing, prefix, m.shared, width) end
  if m.shared_gate then listing:plain_linear(prefix .. m.shared_gate, width, 1, false) end
end

--- Lists the modules of an MLP.
---@param m table its options
---@param width integer of its input
function M.list_of(listing, prefix, m, width)
  LIST[m.kind](listing, prefix, m, width)
end

--- Lists the modules of the layer's MLP.
function M.list(listing, options, prefix, index)
  M.list_of(listing, prefix, options.mlp[index], options.width)
end

local function activate(program, prefix, m)
  if not m.learned then
    return program:emit { op = "activation", x = "inner", kind = m.activation, out = "inner" }
  end
  local op = { op = m.activation, x = "inner", out = "inner" }
  for _, name in ipairs(LEARNED) do
    op[name] = prefix .. m.learned .. name
    op[name .. "_shape"] = LEARNED_SHAPE[name] or {}
  end
  program:emit(op)
end

local function down(program, prefix, m, out)
  local name = prefix .. m.down
  if m.norm then program:norm(prefix .. m.norm, "inner", "inner") end
  if m.as_down then
    program:emit_module({ op = "as_weight", x = "inner", out = "inner" }, name)
  end
  program:linear(name, "inner", out)
end

function EMIT.plain(program, prefix, m, x, out)
  program:linear(prefix .. m.up, x, "inner")
  activate(program, prefix, m)
  down(program, prefix, m, out)
end

-- activation(gate) * up, each rounded.
local function gate(program, prefix, m, out)
  program:emit { op = "activation", x = "gate", kind = m.activation, out = "gate" }
  program:emit { op = "mul", x = "gate", y = "inner", out = "inner" }
  down(program, prefix, m, out)
end

function EMIT.gated(program, prefix, m, x, out)
  program:linear(prefix .. m.gate, x, "gate")
  program:linear(prefix .. m.up, x, "inner")
  gate(program, prefix, m, out)
end

function EMIT.gated_fused(program, prefix, m, x, out)
  program:linear(prefix .. m.gate_up, x, "inner")
  program:emit { op = "split", x = "inner", sizes = { m.width, m.width },
    out = { "gate", "inner" } }
  gate(program, prefix, m, out)
end

function EMIT.experts(program, prefix, m, x, out)
  experts.emit(program, prefix, m, x, out)
  if not m.shared then return end
  EMIT[m.shared.kind](program, prefix, m.shared, x, "shared")
  if m.shared_gate then
    program:linear(prefix .. m.shared_gate, x, "gate")
    program:emit { op = "activation", x = "gate", kind = "sigmoid", out = "gate" }
    program:emit { op = "mul", x = "gate", y = "shared", out = "shared" }
  end
  program:add(out, "shared", out)
end

--- An MLP from the register `x` to the register `out`.
---@param m table its options
function M.emit_of(program, m, prefix, x, out)
  EMIT[m.kind](program, prefix, m, x, out)
end

--- That of a layer.
function M.emit(program, index, prefix, x, out)
  M.emit_of(program, program.options.mlp[index], prefix, x, out)
end

return M
