-- The shards and their index: nothing promised that is not there, nothing there twice.

local chat = require "qspec.chat"
local units = require "qspec.units"

local HINTS = {
  ghost = "the index promises a tensor that no shard holds",
  unlisted = "transformers never reads a tensor that the index leaves out",
  misplaced = "the index names another shard",
  duplicate = "which of the two is read depends on the loader",
  ignored = "transformers prefers the single file",
  no_tensor = "a dictionary of weights holds nothing but tensors",
  unused = "bytes that no tensor refers to could be anything",
}

-- Loaders that map one shard at a time see such a weight in parts. Nothing is wrong with the file.
local function note_spread(ctx)
  local spread, first = 0, nil
  for _, row in ipairs(ctx.subject.census.modules) do
    local file
    for _, suffix in ipairs(row.layout and row.holding.list or {}) do
      local entry = row.holding.tensors[suffix]
      if file and entry.file ~= file then
        spread, first = spread + 1, first or row.name
        break
      end
      file = entry.file
    end
  end
  if spread > 0 then
    ctx:note(("%s with companions in another shard, %s first"):format(units.count(spread,
      "packed weight"), first))
  end
end

-- A template that does not parse ends every conversation in an error, long after the upload.
local function check_templates(ctx)
  for _, broken in ipairs(chat.broken(ctx.subject)) do
    if broken.err.kind == "unsupported" then
      ctx:note(("chat template: %s"):format(tostring(broken.err)))
    else
      ctx:finding { key = "chat template " .. broken.name, found = tostring(broken.err),
        wanted = "a template that parses",
        hint = "transformers refuses it in apply_chat_template" }
    end
  end
end

return {
  name = "files",
  summary = "index and shards agree: no ghost, unlisted, misplaced or duplicate tensor",
  needs = "header",
  params = {},
  details = [[
Compares model.safetensors.index.json with the headers of the shards: a tensor promised and not
there, there and not listed, listed in another shard, in two shards at once, and a total_size that
is not the sum. In a pytorch_model.bin: values that are no tensors, and storages that no tensor
uses. Of the tokenizer's files, chat templates that do not parse: in chat_template.jinja, in
additional_chat_templates/, in tokenizer_config.json. A shard that is missing or malformed is
refused before any check runs.]],
  example = [[files {}]],
  run = function(ctx)
    local format = ctx.subject.format
    for _, problem in ipairs(ctx.subject.checkpoint:problems()) do
      -- mlx-lm writes an index beside a single file, too.
      if not (problem.kind == "ignored" and format and format.writes_index) then
        ctx:finding { key = problem.key ~= "" and problem.key or problem.kind,
          found = problem.kind .. ": " .. problem.found, wanted = problem.wanted,
          hint = HINTS[problem.kind] }
      end
    end
    check_templates(ctx)
    note_spread(ctx)
    local files, tensors = #ctx.subject.checkpoint:files(), #ctx.subject.entries
    ctx:measure("files", files)
    ctx:measure("tensors", tensors)
    ctx:headline(units.count(files, "file") .. ", " .. units.count(tensors, "tensor"))
  end,
}
