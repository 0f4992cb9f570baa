-- The orders in which llama.cpp's converter writes the rows of projections: for each row of the
-- Hugging Face weight the row of the file that holds it, counted from 1.
--
-- Source: llama.cpp, convert_hf_to_gguf.py (LlamaModel.permute, BloomModel, GPTNeoXModel,
-- FalconModel: modify_tensors).

local M = {}

--- Halves of each head are interleaved, as ggml's rotary positions of LLaMA pair them.
function M.rotary(heads)
  return function(rows)
    local width, order = rows / heads, {}
    for head = 0, heads - 1 do
      for half = 0, 1 do
        for i = 0, width / 2 - 1 do
          order[#order + 1] = head * width + 2 * i + half + 1
        end
      end
    end
    return order
  end
end

--- All queries, then all keys, then all values, where Hugging Face has the three of a head
--- together.
function M.per_head(heads)
  return function(rows)
    local width, order = rows / (3 * heads), {}
    for head = 0, heads - 1 do
      for part = 0, 2 do
        for i = 1, width do order[#order + 1] = (part * heads + head) * width + i end
      end
    end
    return order
  end
end

--- Likewise from groups of several queries with one key and one value.
function M.per_group(heads, kv_heads)
  return function(rows)
    local each, order = heads / kv_heads, {}
    local width = rows / (heads + 2 * kv_heads)
    for group = 0, kv_heads - 1 do
      for part = 0, each + 1 do
        local head = part < each and group * each + part or part == each and heads + group
          or heads + kv_heads + group
        for i = 1, width do order[#order + 1] = head * width + i end
      end
    end
    return order
  end
end

return M
