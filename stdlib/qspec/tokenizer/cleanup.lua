-- clean_up_tokenization_spaces: spaces that word pieces leave in front of punctuation.
--
-- Source: transformers 5.17, tokenization_utils_base.py (clean_up_tokenization) and
-- tokenization_utils_tokenizers.py (_decode), which leaves the text of a BPE as it is.

local M = {}

local REPLACED = { { " .", "." }, { " ?", "?" }, { " !", "!" }, { " ,", "," }, { " ' ", "'" },
  { " n't", "n't" }, { " 'm", "'m" }, { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" } }

---@param text string
---@return string
function M.clean(text)
  for _, pair in ipairs(REPLACED) do
    text = text:gsub((pair[1]:gsub("%p", "%%%0")), (pair[2]:gsub("%%", "%%%%")))
  end
  return text
end

--- Whether decoded texts are cleaned up.
---@param config table tokenizer_config.json
---@param model_type string of tokenizer.json's model
---@return boolean
function M.applies(config, model_type)
  if config.clean_up_tokenization_spaces ~= true then return false end
  return model_type ~= "BPE"
    or config.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output == true
end

return M
