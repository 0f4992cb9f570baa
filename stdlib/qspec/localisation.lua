-- Where a failure of the running model comes from: the error that each module adds, apart from what
-- it inherits.
--
-- Both models run side by side over a few tokens. Each module is also given the baseline's input:
-- how far its output then lies from the baseline's is its own error. The baseline's module, given
-- the model's input, shows what all before it have done. Both are SQNR in dB
-- (engine/model/module_errors.h).

local exchange = require "qspec.bisect.exchange"

local M = {}

local MOST_TOKENS = 128
local WORST = 5

---@class qspec.Localized
---@field module string
---@field added_db number of its own; NaN where values are not finite
---@field inherited_db number infinite where nothing before it differs

local function order_of(db)
  return db ~= db and -math.huge or db
end

local function worst_first(list)
  table.sort(list, function(a, b)
    local first, second = order_of(a.added_db), order_of(b.added_db)
    if first ~= second then return first < second end
    return a.place < b.place
  end)
  return { unpack(list, 1, WORST) }
end

--- The tokens that a failure is localised on, from those at hand.
---@param ids integer[]
---@return integer[]
function M.first_tokens(ids)
  return { unpack(ids, 1, math.min(#ids, MOST_TOKENS)) }
end

--- The modules that add the largest errors, worst first; none where the quantizer folds factors
--- into neighbours, so that no input of the baseline's fits one of them.
---@param subject table with a baseline
---@param tokens {ids: integer[], source: integer[]|nil} of the decoder, and what an encoder reads
---@return qspec.Localized[]
function M.worst(subject, tokens)
  if exchange.is_folded(subject) then return {} end
  local models, list = exchange.models(subject), {}
  local errors = models.model:module_errors(models.baseline, tokens.ids, tokens.source)
  for place, error in ipairs(errors) do
    if error.added_db ~= math.huge then  -- one that is the baseline's is not to blame
      list[#list + 1] = { module = table.concat(error.modules, ", "), added_db = error.added_db,
        inherited_db = error.inherited_db, place = place }
    end
  end
  return worst_first(list)
end

local function quoted(text)
  return text:find("[^%w_./-]") and "'" .. text:gsub("'", "'\\''") .. "'" or text
end

--- The command that finds the smallest set to blame.
---@param job table
---@param declaration table that failed
---@return string
function M.next_command(job, declaration)
  local path = declaration.where:match("^(.*):%d+$") or declaration.where
  local words = { "qspec bisect", quoted(path) }
  if job.families then
    words[3] = "--model " .. quoted(job.subject.path)
    words[4] = "--baseline " .. quoted(job.subject.baseline.path)
  else
    words[3] = "--only " .. quoted(job.name)
  end
  return table.concat(words, " ")
end

return M
