-- What was taken in the last period. The state is when the newest entry began and, the oldest first, when the last permit of each
-- entry was taken and how many it has. ARGV[4] is the limit, ARGV[5] the period, ARGV[6] how long an entry is added to.
local now, n = time(), tonumber(ARGV[3])
local limit, period, stretch = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local begun, count, cut = 0, 0, false
local taken = {}
local held = numbers(redis.call('GET', KEYS[1]), 3, 65)
if held and #held % 2 == 1 then
  begun = held[1]
  for at = 2, #held, 2 do
    if held[at] + period > now then
      taken[#taken + 1] = held[at]
      taken[#taken + 1] = held[at + 1]
      count = count + held[at + 1]
    end
  end
  -- From the future: the clock was set back.
  for at = 1, #taken, 2 do
    if taken[at] > now then
      taken[at], cut = now, true
    end
  end
  if begun > now then
    begun, cut = now, true
  end
end
local allowed = count + n <= limit
if allowed and n > 0 then
  if #taken > 0 and now < begun + stretch then
    taken[#taken - 1] = math.max(taken[#taken - 1], now)
    taken[#taken] = taken[#taken] + n
  else
    begun = now
    taken[#taken + 1] = now
    taken[#taken + 1] = n
  end
end
local rest = 0
if #taken > 0 then
  rest = taken[#taken - 1] + period - now
end
table.insert(taken, 1, begun)
return answer(allowed, allowed or cut, now, taken, rest)
