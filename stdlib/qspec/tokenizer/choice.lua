-- Which class makes a checkpoint's tokenizer, as AutoTokenizer chooses it.
--
-- Source: transformers 5.17, models/auto/tokenization_auto.py (AutoTokenizer.from_pretrained).

local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local registry = require "qspec.registry"

local M = {}

local FALLBACK = "TokenizersBackend"

-- Classes of transformers that build their tokenizer in a way that is not here.
local FOREIGN = {}
for name in ([[
Albert Barthez Bartpho BertGeneration BertJapanese BertTokenizerLegacy Bertweet BigBird BioGpt
BlenderbotSmall Blenderbot ByT5 CLIP CTRL Camembert Canine Clvp Cpm CpmAnt DPRContextEncoder
DPRQuestionEncoder DPRReader Deberta DebertaV2 Dia DistilBert Esm Esmc FNet FSMT
FastSpeech2Conformer Flaubert Funnel GPTNeoXJapanese GPTSw3 Herbert Lasr LayoutLMv2 LayoutLMv3
LayoutXLM Luke M2M100 MBart50 MBart MLuke MPNet Marian MarkupLM Mgpstr MyT5 Nllb Nougat
OpenAIGPT PLBart Parakeet Pegasus Perceiver Phobert ProphetNet Rag Reformer RemBert RoCBert
RoFormer SeamlessM4T Siglip2 Siglip Speech2Text SpeechT5 Splinter Tapas Tipsv2 Udop VideoPrism
Vits Wav2Vec2CTC Wav2Vec2PhonemeCTC Whisper XGLM XLM XLNet
]]):gmatch("%S+") do
  FOREIGN[name .. "Tokenizer"] = true
end

-- Repositories whose tokenizer_class is known to be wrong.
local BY_FILE = { "^deepseek%-ai/deepseek%-r1%-distill%-llama%-", "^deepseek%-ai/deepseek%-coder%-",
  "^allenai/dolma2%-tokenizer$", "^google/umt5%-small$", "^stepfun%-ai/step%-3%.7%-" }

local function without_fast(name)
  return (name:gsub("Fast$", ""))
end

local by_name, by_model_type

local function index()
  if by_name then return end
  by_name, by_model_type = {}, {}
  for _, entry in ipairs(registry("tokenizer_classes").all()) do
    by_name[entry.name] = entry
    for _, alias in ipairs(entry.aliases or {}) do by_name[without_fast(alias)] = entry end
    for _, model_type in ipairs(entry.model_types or {}) do by_model_type[model_type] = entry end
  end
end

local function overrides(entry, model_type)
  for _, one in ipairs(entry.overrides or {}) do
    if one == model_type then return true end
  end
  return false
end

-- The class of a name; the file's for a name that transformers does not know.
local function named(name, where)
  if FOREIGN[without_fast(name)] then
    error(outcome.error("unsupported", ("the tokenizer class '%s' is not here"):format(
      printable.line(name)), "its pipeline is built by code in transformers, not by the file",
      where), 0)
  end
  return by_name[without_fast(name)] or by_name[FALLBACK]
end

-- The repository that a folder of the hub's cache belongs to, in lower case.
local function repository(path)
  local owner, name = (path or ""):match("models%-%-([^/]-)%-%-([^/]+)/snapshots/")
  return owner and (owner .. "/" .. name):lower()
end

local function by_file(path)
  local id = repository(path)
  for _, pattern in ipairs(id and BY_FILE or {}) do
    if id:find(pattern) then return true end
  end
  return false
end

--- The class, an entry of tokenizer_classes.
---@param o { model_type?: string, class?: string, path?: string, where: string,
---  has_code?: boolean } class is that of tokenizer_config.json; has_code: it names code of its own
function M.class(o)
  index()
  if by_file(o.path) and not o.has_code then return by_name[FALLBACK] end
  local registered = by_model_type[o.model_type]
  if not o.class then return registered or by_name[FALLBACK] end
  if not registered or o.has_code or registered.name == without_fast(o.class) then
    return named(o.class, o.where)
  elseif registered.name == FALLBACK or overrides(registered, o.model_type) then
    return registered
  end
  return named(o.class, o.where)
end

return M
