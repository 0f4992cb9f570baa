-- A mixture of experts: a router that picks a few for each token, and their weights in one tensor.

local M = {}

-- Parameters of an experts module have no suffix of their own: each is a module of the census.
local function expert_weight(listing, name, m, out_features, in_features, parts)
  local e = m.experts
  local shape = e.transposed and { e.count, in_features, out_features }
    or { e.count, out_features, in_features }
  listing:add({ name = name, class = e.class, kind = "experts", in_features = in_features,
    out_features = out_features, shape = shape, transposed = e.transposed or nil, parts = parts },
    false)
  if e.bias then listing:parameter(name .. "_bias", { e.count, out_features }) end
end

-- The tensors that a file may store one an expert, joined along the rows.
local function parts_of(prefix, e, names)
  if not e.parts then return nil end
  local parts = {}
  for index = 0, e.count - 1 do
    parts[index + 1] = {}
    for i, name in ipairs(names) do
      parts[index + 1][i] = prefix .. e.parts.prefix:format(index) .. name .. ".weight"
    end
  end
  return parts
end

--- Lists the weights of the experts.
function M.list_weights(listing, prefix, m, width)
  local e = m.experts
  expert_weight(listing, prefix .. e.gate_up, m, 2 * e.width, width,
    parts_of(prefix, e, e.parts and { e.parts.gate, e.parts.up } or nil))
  expert_weight(listing, prefix .. e.down, m, width, e.width,
    parts_of(prefix, e, e.parts and { e.parts.down } or nil))
end

--- Lists the modules.
function M.list(listing, prefix, m, width)
  local router, count = m.router, m.experts.count
  listing:router(prefix .. router.weight, router.class, { count, width }, router.bias or false)
  if router.correction then
    listing:parameter(prefix .. router.correction, router.correction_shape or { count })
  end
  M.list_weights(listing, prefix, m, width)
end

local function route(program, prefix, x, router)
  local correction = router.correction and prefix .. router.correction
  program:emit_module({ op = "route", x = x, score = router.score, chosen = router.chosen,
    normalize = router.normalize, least_sum = router.least_sum, scale = router.scale,
    fp32 = router.fp32, cast = router.cast, native_softmax = router.native_softmax,
    groups = router.groups, chosen_groups = router.chosen_groups, jitter = router.jitter,
    correction = correction, correction_shape = correction and program.modules[correction].shape,
    out = { "experts", "shares" } }, prefix .. router.weight)
end

--- From the register `x` to the register `out`.
function M.emit(program, prefix, m, x, out)
  local e, modules = m.experts, program.modules
  local op = { op = "experts", x = x, experts = "experts", shares = "shares",
    activation = m.activation, transposed = e.transposed, limit = e.limit,
    share_first = e.share_first, out = out }
  for _, part in ipairs { "gate_up", "down" } do
    local name = prefix .. e[part]
    op[part], op[part .. "_shape"] = name, modules[name].shape
    if e.bias then
      op[part .. "_offsets"] = name .. "_bias"
      op[part .. "_offsets_shape"] = modules[name .. "_bias"].shape
    end
  end
  route(program, prefix, x, m.router)
  program:emit(op)
end

return M
