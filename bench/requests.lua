-- wrk's part: send each prepared request once (or one address again and again), then say what happened.
-- One wrk thread reads the file, so that no request is sent by two of them.

local prepared = {}
local place = 0

function init(args)
  if not args[1] then return end
  local headers = { ["Content-Type"] = "application/json", ["Host"] = wrk.headers["Host"] }
  for line in io.lines(args[1]) do
    local path, body = line:match("^(%S+)\t(.*)$")
    prepared[#prepared + 1] = wrk.format("POST", args[2] or path, headers, body)
  end
  request = function()
    place = place % #prepared + 1
    return prepared[place]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "median_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
