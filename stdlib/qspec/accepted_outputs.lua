-- Texts that a person accepted with `qspec accept`, in a file beside the spec: SPEC.accepted.json.
--
-- A record is for one model, device, prompt and number of tokens: what a GPU says is not accepted
-- of the CPU. They add to what the spec itself accepts.

local json = require "host.json"
local outcome = require "qspec.outcome"
local system = require "host.system"

local M = {}

local SCHEMA = "qspec.accepted/1"
local FIELDS = { { "model", "string" }, { "device", "string" }, { "prompt", "string" },
  { "max_new_tokens", "number" }, { "text", "string" } }

---@class qspec.AcceptedOutput
---@field model string name of the model in the spec, or of the folder that --model named
---@field device string "cpu", "cuda"
---@field prompt string
---@field max_new_tokens integer
---@field text string prompt included
---@field provenance table {qspec, date, device, revision? or sha256?}

--- Where the accepted outputs of a spec are.
---@param spec_path string
function M.path(spec_path)
  return (spec_path:gsub("%.lua$", "")) .. ".accepted.json"
end

--- The device as a record is keyed by: all GPUs of one kind of engine are one.
---@param name string "cpu", "cuda:1"
function M.device(name)
  return name:match("^[^:]+")
end

local function broken(path, message)
  error(outcome.error("spec", message, "qspec accept writes this file; take it away to begin anew",
    path), 0)
end

local function check_record(path, record, index)
  if type(record) ~= "table" then
    broken(path, ("outputs[%d] is a %s, wanted an object"):format(index, type(record)))
  end
  for _, field in ipairs(FIELDS) do
    local name, wanted = field[1], field[2]
    if type(record[name]) ~= wanted then
      broken(path, ("outputs[%d].%s is a %s, wanted a %s"):format(index, name,
        type(record[name]), wanted))
    end
  end
end

local function decoded(path)
  local ok, value = pcall(json.read, path)
  if ok then return value end
  local err = outcome.from(value)
  error(outcome.error("spec", err.message, err.hint, err.where), 0)
end

--- The records of a spec; none when there is no file. Raises an error of kind "spec" for a file
--- that is not as `record` writes it.
---@param spec_path string
---@return qspec.AcceptedOutput[]
function M.read(spec_path)
  local path = M.path(spec_path)
  if system.kind(path) == nil then return {} end
  local value = decoded(path)
  if type(value) ~= "table" or value.schema ~= SCHEMA then
    broken(path, ("schema is %s, wanted '%s'"):format(type(value) == "table"
      and tostring(value.schema) or "absent", SCHEMA))
  elseif not json.is_array(value.outputs) then
    broken(path, "outputs is not a list")
  end
  for i, record in ipairs(value.outputs) do check_record(path, record, i) end
  return value.outputs
end

--- The texts accepted of one prompt.
---@param records qspec.AcceptedOutput[]
---@param key table {model, device, prompt, max_new_tokens}
---@return string[]
function M.texts(records, key)
  local texts = {}
  for _, record in ipairs(records) do
    if M.same(record, key) then texts[#texts + 1] = record.text end
  end
  return texts
end

-- The texts that the spec itself accepts of a prompt.
local function declared(params, prompt)
  local accepts = params.accepts or {}
  local list = #accepts > 0 and accepts or accepts[prompt] or {}
  return type(list) == "string" and { list } or list
end

--- All texts accepted of one prompt: the spec's, then those that were recorded.
---@param subject table `accepted(prompt, max_new_tokens)` gives the recorded ones
---@param params table of a `generates`
---@param prompt string
---@return string[]
function M.of(subject, params, prompt)
  local texts = { unpack(declared(params, prompt)) }
  local recorded = subject.accepted and subject.accepted(prompt, params.max_new_tokens)
  for _, text in ipairs(recorded or {}) do texts[#texts + 1] = text end
  return texts
end

--- Whether two records are for the same model, device, prompt and number of tokens.
function M.same(a, b)
  return a.model == b.model and a.device == b.device and a.prompt == b.prompt
    and a.max_new_tokens == b.max_new_tokens
end

local function in_order(a, b)
  for _, field in ipairs(FIELDS) do
    local x, y = a[field[1]], b[field[1]]
    if x ~= y then return x < y end
  end
  return false
end

--- Records outputs; each takes the place of the one for the same key. The file is read again at
--- this moment and replaced whole, so that another run's records stay and none is ever torn.
---@param spec_path string
---@param outputs qspec.AcceptedOutput[]
function M.record(spec_path, outputs)
  local kept = {}
  for _, record in ipairs(M.read(spec_path)) do
    local is_replaced = false
    for _, output in ipairs(outputs) do is_replaced = is_replaced or M.same(record, output) end
    if not is_replaced then kept[#kept + 1] = record end
  end
  for _, output in ipairs(outputs) do kept[#kept + 1] = output end
  table.sort(kept, in_order)
  local value = { schema = SCHEMA, outputs = json.array(kept) }
  system.write_atomic(M.path(spec_path), json.encode(value, { indent = 2, sort = true }) .. "\n")
end

return M
