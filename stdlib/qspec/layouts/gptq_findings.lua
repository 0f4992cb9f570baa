-- What GPTQ's and AWQ's loaders drop or ignore without a word: findings of the check `fallbacks`.

local json = require "host.json"
local gptq_modules = require "qspec.layouts.gptq_modules"

local M = {}

local COMPARED = { "bits", "group_size", "desc_act", "sym", "format", "checkpoint_format",
  "zero_point", "version" }

local function show(value)
  if type(value) == "table" then return json.encode(value) end
  return tostring(value)
end

-- Read it as a config, or nil: the file is not ours, and transformers does not look at it.
local function read_beside(subject, file)
  if not subject:has_file(file) then return nil end
  local ok, raw = pcall(subject.folder.json, subject.folder, file)
  return ok and type(raw) == "table" and raw or nil
end

--- A file of the quantizer's own that says otherwise than config.json.
function M.beside(findings, subject, file)
  local beside = read_beside(subject, file)
  if not beside or subject.quantization_source.where ~= subject.config_file.where then return end
  for _, key in ipairs(COMPARED) do
    local here, there = subject.quantization[key], beside[key]
    if here ~= nil and there ~= nil and here ~= there then
      findings[#findings + 1] = { key = "quantization_config." .. key, found = show(here)
        .. " in config.json", wanted = ("%s, as %s says"):format(show(there), file),
        hint = "loaders differ in which of the two they read" }
    end
  end
end

--- A config that is not in config.json, where transformers looks.
function M.elsewhere(findings, subject)
  local where = subject.quantization_source.where
  if where == subject.config_file.where then return end
  findings[#findings + 1] = { key = "quantization_config", found = "only in "
    .. where:match("[^/]*$"), wanted = "the same in config.json",
    hint = "transformers reads config.json alone: it would load the model as a dense one, with "
      .. "random weights" }
end

local function count_matches(subject, matches)
  local count, first = 0, nil
  for _, module in ipairs(subject.modules) do
    if module.kind == "linear" and matches(module.name) then
      count, first = count + 1, first or module.name
    end
  end
  return count, first
end

--- Rules by name, which transformers drops.
function M.dynamic(findings, subject, rules)
  for _, rule in ipairs(rules) do
    local count, first = count_matches(subject, rule.matches)
    local key = ("dynamic['%s']"):format(rule.key)
    if count == 0 then
      findings[#findings + 1] = { key = key, found = rule.problem or "matches no linear module",
        wanted = "a rule for some module" }
    else
      findings[#findings + 1] = { module = first, key = key,
        found = ("a rule for %d modules"):format(count), wanted = "one config for all modules",
        hint = "transformers drops dynamic in silence and gives these modules the general config: "
          .. "GPTQModel's own loader reads it" }
    end
  end
end

--- A head that is packed, which transformers never converts.
function M.head(findings, subject)
  if subject.quantization_values.lm_head ~= true then return end
  findings[#findings + 1] = { module = subject.architecture.output,
    key = "quantization_config.lm_head", found = "true", wanted = "false or absent",
    hint = "transformers does not read it: the head becomes a dense module with random weights" }
end

--- Entries of modules_in_block_to_quantize, and a block, that no module has.
function M.dead_entries(findings, subject)
  local values = subject.quantization_values
  for _, entry in ipairs(gptq_modules.flatten(values.modules_in_block_to_quantize)) do
    local function matches(name) return gptq_modules.is_listed(name, { entry }) end
    if count_matches(subject, matches) == 0 then
      findings[#findings + 1] = { key = "modules_in_block_to_quantize", found = ("'%s' ends no "
        .. "module's name"):format(entry), wanted = "modules to quantize" }
    end
  end
  local block = values.block_name_to_quantize
  if type(block) == "string"
      and count_matches(subject, function(name) return gptq_modules.starts(name, block) end) == 0
  then
    findings[#findings + 1] = { key = "block_name_to_quantize", found = ("'%s' begins no "
      .. "module's name"):format(block), wanted = "the name of the model's blocks",
      hint = "no module would be converted" }
  end
end

--- Experts in one parameter in memory, and packed one by one in the file.
function M.experts(findings, subject)
  local count, first = 0, nil
  for _, entry in ipairs(subject:has_weights() and subject.census.orphans or {}) do
    if entry.name:find("%.experts%.%d+%..*%.qweight$") then
      count, first = count + 1, first or entry.name
    end
  end
  if count == 0 then return end
  findings[#findings + 1] = { key = first, found = ("%d packed experts"):format(count),
    wanted = "experts that transformers converts",
    hint = "transformers 5 keeps experts in one dense parameter and fills it with random values" }
end

return M
