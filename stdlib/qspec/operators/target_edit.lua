-- M04e: a target is asked for that no module has.

local json = require "host.json"
local lists = require "qspec.mutation.lists"

return {
  id = "M04",
  name = "target_edit",
  summary = "the config asks for modules that are not there",
  details = "Only the config changes: a name that matches no module joins the list of targets.",
  applies = function(subject)
    for _, list in ipairs(subject.quantization and lists.of(subject.quantization, "target") or {})
    do
      if list.object[list.key] ~= json.null then return true end
    end
    return nil, "the config has no list of targets"
  end,
  doses = { "once" },
  mutate = function(mutant)
    mutant:edit_quantization(function(config)
      for _, list in ipairs(lists.of(config, "target")) do
        local entries = list.object[list.key]
        if entries ~= json.null then
          lists.set(list, { unpack(entries) })
          table.insert(list.object[list.key], "no_such_module")
          return
        end
      end
    end)
  end,
}
