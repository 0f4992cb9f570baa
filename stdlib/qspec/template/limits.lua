-- What rendering a template may cost. Templates come with checkpoints: one that never ends, or that
-- fills the memory, ends in an error that says so.

local M = {}

M.STEPS = 1e6
M.DEPTH = 64            -- of calls, and of expressions and blocks within one another
M.TEXT_BYTES = 2 ^ 24   -- of one text, and of the whole output
M.RANGE = 100000        -- Jinja's sandbox has the same

local BYTES_A_STEP = 64

--- Raises an error of a template; the place is added where it is caught.
---@param message string
---@param hint string?
---@param kind string? of qspec.outcome, "checkpoint" unless given
function M.fail(message, hint, kind)
  error({ template = true, message = message, hint = hint, kind = kind }, 0)
end

local Meter = {}
Meter.__index = Meter

--- Counts what one rendering spends.
function M.meter()
  return setmetatable({ steps = 0, depth = 0 }, Meter)
end

---@param count integer? one unless given
function Meter:step(count)
  self.steps = self.steps + (count or 1)
  if self.steps > M.STEPS then
    M.fail(("the template takes more than %d steps"):format(M.STEPS),
      "a loop in it is too long, or does not end", "unsupported")
  end
end

--- To be asked before a text is made.
---@param bytes number
function Meter:text(bytes)
  if bytes > M.TEXT_BYTES then
    M.fail(("the template makes a text of %.0f bytes, at most %d are allowed"):format(bytes,
      M.TEXT_BYTES), nil, "unsupported")
  end
  self:step(math.floor(bytes / BYTES_A_STEP))
end

function Meter:enter()
  self.depth = self.depth + 1
  if self.depth > M.DEPTH then
    M.fail(("calls in the template are nested deeper than %d"):format(M.DEPTH),
      "a macro that calls itself without an end", "unsupported")
  end
end

function Meter:leave()
  self.depth = self.depth - 1
end

return M
