-- What models are judged on: windows of token ids of a text, and prompts.

local outcome = require "qspec.outcome"

local M = {}

M.WINDOW = 128   -- tokens that are run at once
M.MOST = 512     -- tokens in all

-- Ordinary prose, code and figures, for lack of a text of the user's.
M.TEXT = [[
The old harbour lies behind the station. In the morning the boats come back with the catch of the
night, and by nine o'clock the market on the quay is full of people: cooks who look for mackerel,
children on their way to school, a woman who sells coffee out of a small blue van. "Two, please,"
says a man in a wet coat, and counts his coins twice. Nobody is in a hurry except the gulls.

Water boils at 100 degrees Celsius at sea level, and at about 93 on a mountain 2,000 metres high,
because the air above it weighs less. The capital of France is Paris; that of Japan is Tokyo. A week
has seven days: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday. Three times four
is twelve, and twelve divided by five is 2.4.

def mean(values):
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values)

Dear Ms Alvarez, thank you for your letter of 14 March. We have looked into the matter and found
that the invoice was sent to a former address. A corrected copy is enclosed. If anything remains
unclear, please call us between ten and four. Yours sincerely, M. Okafor

She opened the window, listened for a while, and wrote: the river is higher than last year, but the
bridge still stands, and the trains to the north run again.
]]

M.PROMPTS = { "The capital of France is", "Once upon a time there was",
  "The reason for this is that" }

local function no_window(count)
  error(outcome.error("usage", ("the text has %d tokens, wanted at least two"):format(count),
    "one token predicts the next, so one alone scores nothing"), 0)
end

local function refuse_encoder_decoder(subject)
  if not subject.architecture.encoder_decoder then return end
  error(outcome.error("unsupported", ("%s is an encoder-decoder, which predicts an output for a "
    .. "source and no text"):format(subject.architecture.name),
    "judge it by what it answers: --predicate tokens_equal", subject.path), 0)
end

--- A text as lists of ids, each a window of its own; the last may be shorter.
---@param subject table
---@param text string
---@param most integer|nil tokens that are taken of it
---@return integer[][]
function M.windows(subject, text, most)
  refuse_encoder_decoder(subject)
  local ids = subject.tokenizer:encode(text, true)
  local count = math.min(#ids, most or M.MOST)
  local windows = {}
  for first = 1, count - 1, M.WINDOW do
    local window = { unpack(ids, first, math.min(first + M.WINDOW - 1, count)) }
    if #window > 1 then windows[#windows + 1] = window end
  end
  if #windows == 0 then no_window(count) end
  return windows
end

return M
