-- The variable `loop` of a for.
--
-- Source: Jinja 3.1, runtime.py (LoopContext). Items are pulled one by one, so that a condition of
-- the loop sees what its body has done.

local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local Loop = {}
Loop.__index = Loop

---@param items any[]
---@param passes (fun(item: any): boolean)?
---@return fun(): boolean, any whether there is another item, and the item
local function source(items, passes)
  local at = 0
  return function()
    repeat
      at = at + 1
      if at > #items then return false end
    until not passes or passes(items[at])
    return true, items[at]
  end
end

--- A loop over items. `again` renders the body anew for other items, of a recursive loop.
---@param items any[]
---@param passes (fun(item: any): boolean)?
---@param depth integer of recursive loops around it, from 0
---@param again (fun(items: any, depth: integer): string)?
function Loop.new(items, passes, depth, again)
  local self = setmetatable({ pull = source(items, passes), queue = {}, index = 0, depth = depth },
    Loop)
  self.value = { kind = "loop", attribute = function(name) return self:attribute(name) end,
    call = function(_, positional)
      if not again then limits.fail("the loop needs the marker 'recursive' to be called") end
      return again(positional[1] == nil and values.undefined() or positional[1], depth + 1)
    end }
  return self
end

-- Whether there are `count` items more, which are then in the queue.
function Loop:ahead(count)
  while #self.queue < count do
    local found, item = self.pull()
    if not found then return false end
    self.queue[#self.queue + 1] = item
  end
  return true
end

--- Goes to the next item.
---@return boolean found
---@return any item
function Loop:next()
  if not self:ahead(1) then return false end
  self.before, self.current = self.current, table.remove(self.queue, 1)
  self.index = self.index + 1
  return true, self.current
end

function Loop:length()
  while self:ahead(#self.queue + 1) do end
  return self.index + #self.queue
end

local ATTRIBUTES = {
  index = function(loop) return loop.index end,
  index0 = function(loop) return loop.index - 1 end,
  revindex = function(loop) return loop:length() - loop.index + 1 end,
  revindex0 = function(loop) return loop:length() - loop.index end,
  first = function(loop) return loop.index == 1 end,
  last = function(loop) return not loop:ahead(1) end,
  length = function(loop) return loop:length() end,
  depth = function(loop) return loop.depth + 1 end,
  depth0 = function(loop) return loop.depth end,
  previtem = function(loop)
    if loop.index == 1 then return values.undefined("loop.previtem") end
    return loop.before
  end,
  nextitem = function(loop)
    if not loop:ahead(1) then return values.undefined("loop.nextitem") end
    return loop.queue[1]
  end,
}

function ATTRIBUTES.cycle(loop)
  return values.callable("cycle", function(_, positional)
    if #positional == 0 then limits.fail("no items for cycling given") end
    return positional[(loop.index - 1) % #positional + 1]
  end)
end

function ATTRIBUTES.changed(loop)
  return values.callable("changed", function(_, positional)
    local now = values.tuple(positional)
    local same = loop.last_changed and values.equal(loop.last_changed, now)
    loop.last_changed = now
    return not same
  end)
end

function Loop:attribute(name)
  local of = rawget(ATTRIBUTES, name)
  return of and of(self)
end

return Loop
