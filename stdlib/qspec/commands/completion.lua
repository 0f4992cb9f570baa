-- qspec completion: the shell's completion script, from the options that the commands declare.

local registry = require "qspec.registry"
local system = require "host.system"

local M = {
  name = "completion",
  summary = "print a completion script for a shell",
  examples = {
    "qspec completion bash > ~/.local/share/bash-completion/completions/qspec",
    "qspec completion fish > ~/.config/fish/completions/qspec.fish",
  },
}

function M.options(parser)
  parser:argument("shell", "The shell."):choices({ "bash", "zsh", "fish" })
end

function M.run(args)
  local program = require("qspec.command_line").program(registry("commands").all())
  local script = {
    bash = program.get_bash_complete,
    zsh = program.get_zsh_complete,
    fish = program.get_fish_complete,
  }
  system.stdout(script[args.shell](program))
  return 0
end

return M
