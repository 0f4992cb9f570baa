-- One model under test: everything the checks may ask about it, read when first asked and kept.

local checkpoint = require "host.checkpoint"
local json = require "host.json"
local system = require "host.system"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local nearest = require "qspec.nearest"
local census = require "qspec.census"
local builder = require "qspec.builder"
local experts = require "qspec.experts"
local Folder = require "qspec.folder"
local holdings = require "qspec.holdings"
local model_config = require "qspec.model_config"
local requests = require "qspec.requests"
local quantization_config = require "qspec.quantization_config"
local timing = require "qspec.timing"
local upload = require "qspec.upload"

local Subject = {}

local lazy = {}

-- A field that is computed by lazy[key] on first use.
Subject.__index = function(self, key)
  local compute = lazy[key]
  if not compute then return Subject[key] end
  local value = compute(self)
  rawset(self, key, value == nil and false or value)
  return rawget(self, key)
end

local function refuse(kind, message, hint, where)
  error(outcome.error(kind, message, hint, where), 0)
end

--- A subject over a folder, or over a config alone when there are no weights. The plan adds
--- `accepted(prompt, max_new_tokens)`: texts that were accepted of it (qspec.accepted_outputs).
---@param o table {name, path?, config?, baseline?: Subject, quantize?: {format, options},
---  config_only?: true to leave the weights alone, folder?: qspec.Folder with files changed in
---  memory, stored?: checkpoint in place of the folder's own, device?: where it runs, "cpu" unless
---  given, is_baseline?: true where others are held against it, weight by weight}
function Subject.new(o)
  local subject = { name = o.name, path = o.path or false, inline_config = o.config or false,
    baseline = o.baseline or false, quantize = o.quantize or false,
    device = o.device or "cpu", is_baseline = o.is_baseline or false,
    config_only = o.config_only or not o.path,
    folder = o.folder or Folder.new(o.path), stored = o.stored }
  return setmetatable(subject, Subject)
end

function Subject:file(name)
  return self.folder:file(name)
end

function Subject:has_file(name)
  return self.folder:has(name)
end

-- The model of GGUF files: a file, or a folder with nothing else.
function lazy.gguf(self)
  if not self.path or self:has_file("config.json") then return false end
  local files = system.kind(self.path) == "file" and { self.path } or nil
  if not files and system.kind(self.path) == "directory" then files = system.list(self.path) end
  for _, name in ipairs(files or {}) do
    if name:find("%.gguf$") then return require("qspec.gguf.model").open(self.stored) end
  end
  return false
end

function lazy.config_file(self)
  local gguf = self.gguf
  if gguf then return { raw = gguf.config, kinds = gguf.kinds, where = self.path } end
  if self.inline_config then
    return { raw = self.inline_config, kinds = {}, where = "the spec" }
  end
  local path = self:file("config.json")
  if system.kind(self.path) == "file" then
    refuse("checkpoint", "this is a file, wanted a model folder",
      "the folder holds config.json beside the weights", self.path)
  end
  if self.folder:kind("config.json") == nil then
    if system.kind(self.path) == nil then checkpoint.open(self.path) end
    refuse("checkpoint", "there is no config.json in the model folder",
      "a model folder as save_pretrained writes it has one", self.path)
  end
  local raw, kinds = self.folder:json("config.json")
  if type(raw) ~= "table" or json.is_array(raw) then
    refuse("checkpoint", "config.json is not a JSON object", nil, path)
  end
  return { raw = raw, kinds = kinds, where = path }
end

-- The raw config with what quantizing on load would add to it.
function lazy.raw(self)
  local raw = self.config_file.raw
  if not self.quantize then return raw end
  local copy = {}
  for key, value in pairs(raw) do copy[key] = value end
  copy.quantization_config = self.quantize.format.quantizer.config(self.quantize.options)
  return copy
end

local function has_model_type(architecture, model_type)
  for _, name in ipairs(architecture.model_types) do
    if name == model_type then return true end
  end
  return false
end

-- A model of text, images or sound holds the text model's config in its own.
local function refuse_wrapper(model_type, raw, where)
  local text = raw.text_config
  if type(text) ~= "table" or json.is_array(text) then return end
  local inner = type(text.model_type) == "string" and (" ('%s')"):format(text.model_type) or ""
  refuse("unsupported", ("model_type '%s' is a text model%s beside others, and only text models "
    .. "alone are read"):format(model_type, inner),
    "save its language_model by itself: config.json is then what text_config is here", where)
end

function lazy.architecture(self)
  local where = self.config_file.where
  local model_type = model_config.model_type(self.raw, where)
  local all = registry("architectures")
  local namesake = all.has(model_type) and all.get(model_type)  -- loads one file, not all of them
  if namesake and has_model_type(namesake, model_type) then return namesake end
  local known = {}
  for _, architecture in ipairs(registry("architectures").all()) do
    for _, name in ipairs(architecture.model_types) do
      if name == model_type then return architecture end
      known[#known + 1] = name
    end
  end
  refuse_wrapper(model_type, self.raw, where)
  local close = nearest(model_type, known)
  refuse("unsupported", ("unknown model_type '%s'"):format(model_type), close
    and ("did you mean '%s'?"):format(close) or "qspec list architectures shows the known ones",
    where)
end

function lazy.config(self)
  return model_config.read(self.architecture, self.raw, self.config_file.where)
end

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }

-- dtype="auto" of transformers: the config's, else that of the first floating tensor stored.
function lazy.dtype(self)
  if self.format and self.format.update_dtype then
    return self.format.update_dtype(self.config_dtype or nil)
  end
  if self.config_dtype or not self:has_weights() then return self.config_dtype or nil end
  return self.first_float and self.first_float.torch_dtype or nil
end

function lazy.config_dtype(self)
  return model_config.dtype(self.raw, self.config_file.where)
end

function lazy.first_float(self)
  for _, entry in ipairs(self.entries) do
    if FLOATS[entry.dtype] then return entry end
  end
end

-- What transformers itself writes beside a model: no format's own.
local COMMON_FILES = { ["config.json"] = true, ["generation_config.json"] = true,
  ["tokenizer.json"] = true, ["tokenizer_config.json"] = true, ["special_tokens_map.json"] = true,
  ["added_tokens.json"] = true, ["vocab.json"] = true, ["model.safetensors.index.json"] = true,
  ["pytorch_model.bin.index.json"] = true, ["preprocessor_config.json"] = true }

local function may_have_quantization_file(self)
  for _, name in ipairs(self.folder:list()) do
    if name:sub(-5) == ".json" and not COMMON_FILES[name] then return true end
  end
  return false
end

-- A config of its own file, as the format that it belongs to translates it. Formats are asked only
-- where there is such a file: to load them all takes longer than to read most headers.
local function quantization_file(self)
  if not may_have_quantization_file(self) then return nil end
  for _, format in ipairs(registry("formats").all()) do
    for name, translate in pairs(format.files or {}) do
      if self:has_file(name) then
        local raw, kinds = self.folder:json(name)
        if type(raw) ~= "table" or json.is_array(raw) then
          refuse("checkpoint", name .. " is not a JSON object", nil, self:file(name))
        end
        local translated, translated_kinds = translate(raw, kinds)
        if translated then
          return { raw = translated, kinds = translated_kinds or {}, where = self:file(name) }
        end
      end
    end
  end
end

-- Where the quantization is described: in config.json, or in a file of its own beside it.
function lazy.quantization_source(self)
  local where, raw = self.config_file.where, self.raw
  for _, key in ipairs { "quantization_config", "compression_config", "quantization" } do
    local value = raw[key]
    if value ~= nil and value ~= json.null then
      return { raw = value, kinds = self.config_file.kinds[key] or {}, where = where }
    end
  end
  return not self.inline_config and quantization_file(self) or { raw = false, kinds = {},
    where = where }
end

-- The raw quantization_config; false when there is none.
function lazy.quantization(self)
  local source = self.quantization_source
  if source.raw and (type(source.raw) ~= "table" or json.is_array(source.raw)) then
    refuse("checkpoint", "quantization_config is not a JSON object", nil, source.where)
  end
  return source.raw
end

function lazy.format(self)
  if not self.quantization then return false end
  local where = self.quantization_source.where
  local method = quantization_config.method(self.quantization)
  if not method then
    refuse("checkpoint", "quantization_config has no quant_method", "see qspec list formats",
      where)
  end
  local format, close = quantization_config.format_of(method)
  if format then return format end
  refuse("unsupported", ("unknown quant_method '%s'"):format(method), close
    and ("did you mean '%s'?"):format(close) or "see qspec list formats", where)
end

function lazy.quantization_values(self)
  return self.format and quantization_config.read(self.format, self.quantization)
end

-- What the config asks for; false for a full-precision model.
function lazy.requested(self)
  return self.format and self.format.requested(self.quantization_values)
end

--- Reads the headers now, so that a checkpoint that is refused is refused before any check.
function Subject:open()
  return self.stored
end

--- Lets the tensors begin their way to the GPU that the subject runs on, if it does.
function Subject:begin_upload()
  return upload.gpu_of(self) and self.uploaded
end

--- Whether there are tensors to look at.
function Subject:has_weights()
  return not self.config_only
end

--- Whether any weight is packed.
function Subject:is_packed()
  return census.packed(self.census) > 0
end

-- The tensors of the files as the census takes them.
function lazy.entries(self)
  return self.gguf and self.gguf:tensors() or self.stored:tensors()
end

-- What the architecture calls a tensor, by its name in the files.
function lazy.canonical(self)
  return holdings.canonical_names(self.architecture, self.entries)
end

function lazy.stored(self)
  return checkpoint.open(self.path)
end

-- The checkpoint that the checks see: the files, or the files with the weights quantized on load.
function lazy.checkpoint(self)
  if not self.quantize then return self.uploaded end
  return self:quantize_on_load(self.uploaded)
end

-- The files, with their tensors on the way to the GPU where there is one.
function lazy.uploaded(self)
  return upload.begin(self)
end

function Subject:quantize_on_load(dense)
  local overlay = dense:overlay()
  local held = holdings.group(self.architecture, self.modules, self.entries, self.canonical)
  for _, module in ipairs(self.modules) do
    local entry = held[module.name].tensors.weight
    if entry and self.requests.of(module) then
      self.quantize.format.quantizer.quantize(overlay, entry, self.quantize.options)
    end
  end
  return overlay
end

function lazy.requests(self)
  return requests.read { architecture = self.architecture, modules = self.modules,
    format = self.format, requested = self.requested, values = self.quantization_values,
    checkpoint = self:has_weights() and self.stored or nil, raw = self.raw,
    entries = self.gguf and self.entries or nil }
end

function lazy.modules(self)
  local has
  if self:has_weights() then has = holdings.lookup(self.entries, self.canonical) end
  local ok, result = pcall(builder.modules, self.architecture, self.config, has)
  if ok and has then result = experts.listed(result, self.entries, self.canonical) end
  if ok then return self:with_parameters_of_format(result) end
  error(type(result) == "string" and result or outcome.at(result, self.config_file.where), 0)
end

-- A format may give a model parameters that are no companions of a weight: scales of its KV cache.
function Subject:with_parameters_of_format(modules)
  if not (self.format and self.format.modules) then return modules end
  return self.format.modules(modules, self.quantization_values, self.config)
end

-- All formats, the config's own first: the same names of tensors may mean another layout to others.
-- Those behind the first are loaded when they are reached.
function lazy.layout_order(self)
  local own = self.format
  local function load_others(order, index)
    setmetatable(order, nil)
    for _, format in ipairs(registry("formats").all()) do
      if format ~= own then order[#order + 1] = format end
    end
    return order[index]
  end
  return setmetatable({ own or nil }, { __index = load_others })
end

function lazy.census(self)
  local architecture = self.architecture  -- a config at fault is named before the weights
  -- Of a baseline nothing is uploaded before a weight is read.
  local source = self.is_baseline and self.stored or self.checkpoint
  return census.take { architecture = architecture, modules = self.modules,
    checkpoint = source, formats = self.layout_order, requests = self.requests,
    dtype = self.dtype, canonical = self.canonical,
    tensors = not self.quantize and self.entries or nil }
end

function lazy.tokenizer(self)
  if self.gguf then return require("qspec.gguf.tokenizer").make(self.stored) end
  if not self.path then refuse("checkpoint", "there is no model folder", nil, self.name) end
  return require("qspec.tokenizer").of(self)
end

-- Special tokens by name, as chat templates may use them.
function lazy.special_tokens(self)
  if self.gguf then return require("qspec.gguf.tokenizer").special_tokens(self.stored) end
  return self.path and require("qspec.tokenizer").special_tokens(self) or {}
end

-- generation_config.json, or what config.json says of generation when there is none.
function lazy.generation_config(self)
  if self:has_file("generation_config.json") then
    local raw = self.folder:json("generation_config.json")
    if type(raw) ~= "table" or json.is_array(raw) then
      refuse("checkpoint", "generation_config.json is not a JSON object", nil,
        self:file("generation_config.json"))
    end
    return raw
  end
  local said = {}
  for _, key in ipairs { "eos_token_id", "bos_token_id", "pad_token_id",
    "decoder_start_token_id" } do
    said[key] = self.config[key]
  end
  return said
end

function lazy.runtime(self)
  local built = timing.begin(self.name .. ": model built")
  local runtime = require("qspec.runtime").build(self)
  built()
  return runtime
end

-- How far its outputs move on its device when nothing changes: measured once.
function lazy.noise_floor(self)
  return require("qspec.noise_floor").measure(self)
end

--- The same model on another device.
---@param device string
---@return table subject
function Subject:on(device)
  return Subject.new { name = self.name, path = self.path or nil,
    config = self.inline_config or nil, quantize = self.quantize or nil, folder = self.folder,
    stored = self.stored, device = device }
end

--- Frees what is big. The subject can be asked again and reads anew.
function Subject:release()
  local runtime = rawget(self, "runtime")
  if runtime then runtime:release() end
  rawset(self, "runtime", nil)
end

return Subject
