-- The statistics of divergence.lua for a person, in the words and the order of llama.cpp.

local M = {}

local KLD_SHARES = { "99.9", "99", "95", "90" }
local DELTA_SHARES = { "99.9", "99", "95", "90", "75", "50", "25", "10", "5", "1", "0.1" }

local NAME_WIDTH = 30

-- Δ is one column and two bytes.
local function padded(name)
  return name .. (" "):rep(NAME_WIDTH - #name:gsub("Δ", "D"))
end

local function line(name, value, deviation, format, unit)
  local text = padded(name) .. (": " .. format):format(value)
  if deviation then text = text .. (" ± " .. format):format(deviation) end
  return text .. (unit or "")
end

local function share_name(share, what)
  if share == "50" then return "Median  " .. what end
  return ("%-7s %s"):format(share .. "%", what)
end

local function perplexities(result)
  local base = result.baseline
  local lines = { "====== Perplexity statistics ======",
    line("Mean PPL(Q)", result.perplexity, result.perplexity_error, "%.6f"),
    line("Mean PPL(base)", base.perplexity, base.perplexity_error, "%.6f") }
  if result.correlation then
    lines[#lines + 1] = line("Cor(ln(PPL(Q)), ln(PPL(base)))", 100 * result.correlation, nil,
      "%.2f", "%")
  end
  for _, row in ipairs { { "Mean ln(PPL(Q)/PPL(base))", result.ln_ppl_ratio },
    { "Mean PPL(Q)/PPL(base)", result.ppl_ratio },
    { "Mean PPL(Q)-PPL(base)", result.ppl_difference } } do
    lines[#lines + 1] = line(row[1], row[2].value, row[2].error, "%.6f")
  end
  return lines
end

local function divergences(kld)
  local lines = { "", "====== KL divergence statistics ======",
    line("Mean    KLD", kld.mean, kld.mean_error, "%.6f"),
    line("Maximum KLD", kld.maximum, nil, "%.6f") }
  for _, share in ipairs(KLD_SHARES) do
    lines[#lines + 1] = line(share_name(share, "KLD"), kld.percentiles[share], nil, "%.6f")
  end
  for _, row in ipairs { { "Median  KLD", kld.median }, { "10%     KLD", kld.percentiles["10"] },
    { "5%      KLD", kld.percentiles["5"] }, { "1%      KLD", kld.percentiles["1"] },
    { "Minimum KLD", kld.minimum } } do
    lines[#lines + 1] = line(row[1], row[2], nil, "%.6f")
  end
  return lines
end

local function probabilities(result)
  local delta = result.delta_p
  local lines = { "", "====== Token probability statistics ======",
    line("Mean    Δp", 100 * delta.mean, 100 * delta.mean_error, "%.3f", " %"),
    line("Maximum Δp", 100 * delta.maximum, nil, "%.3f", "%") }
  for _, share in ipairs(DELTA_SHARES) do
    lines[#lines + 1] = line(share_name(share, "Δp"),
      100 * delta.percentiles[share], nil, "%.3f", "%")
  end
  lines[#lines + 1] = line("Minimum Δp", 100 * delta.minimum, nil, "%.3f", "%")
  lines[#lines + 1] = line("RMS     Δp", 100 * delta.rms, 100 * delta.rms_error, "%.3f", " %")
  lines[#lines + 1] = line("Same top p", 100 * result.same_top_p.value,
    100 * result.same_top_p.error, "%.3f", " %")
  return lines
end

local function interval(name, found, format, factor, unit)
  factor, unit = factor or 1, unit or ""
  if not (found.low and found.high) then return padded(name) .. ": too few tokens" end
  return padded(name) .. (": " .. format .. "%s, " .. format .. " to " .. format .. "%s"):format(
    factor * found.value, unit, factor * found.low, factor * found.high, unit)
end

local function intervals(paired)
  return { "", ("====== Paired by token, %g %% intervals ======"):format(100 * paired.confidence),
    interval("PPL(Q)/PPL(base)", paired.ppl_ratio, "%.6f"),
    interval("Mean    KLD", paired.kld, "%.6f"),
    interval("Same top p", paired.same_top, "%.3f", 100, " %"),
    interval("Mean Δ of the logit margin", paired.margin_change, "%.4f") }
end

---@param result table of divergence.statistics, with a baseline and `paired`
---@return string
function M.render(result)
  local lines = {}
  for _, block in ipairs { perplexities(result), divergences(result.kld), probabilities(result),
    intervals(result.paired) } do
    for _, text in ipairs(block) do lines[#lines + 1] = text end
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
