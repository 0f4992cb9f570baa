-- Choices that look random and are the same every time: a mutant can be made again from its name.

local M = {}

local MODULUS = 2 ^ 31 - 1  -- with 48271 the minimal standard generator of Park and Miller (1993)

local Random = {}
Random.__index = Random

--- A whole number of 1 to `most`.
function Random:below(most)
  self.state = self.state * 48271 % MODULUS
  return math.floor(self.state / MODULUS * most) + 1
end

--- One of a list.
function Random:pick(list)
  return list[self:below(#list)]
end

--- A generator of its own for each text.
function M.of(text)
  local state = 1
  for i = 1, #text do state = (state * 257 + text:byte(i)) % MODULUS end
  local random = setmetatable({ state = math.max(state, 1) }, Random)
  random:below(1)
  return random
end

return M
