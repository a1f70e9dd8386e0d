-- A window that begins with the first permit. The state is when it began, and how many were taken in it. ARGV[4] is the limit,
-- ARGV[5] the period.
local now, n = time(), tonumber(ARGV[3])
local limit, period = tonumber(ARGV[4]), tonumber(ARGV[5])
local start, count, cut = now, 0, false
local held = numbers(redis.call('GET', KEYS[1]), 2, 2)
if held and held[2] > 0 and held[1] + period > now then
  start, count = held[1], held[2]
  -- From the future: the clock was set back.
  if start > now then
    start, cut = now, true
  end
end
local allowed = count + n <= limit
if allowed then
  count = count + n
end
return answer(allowed, allowed or cut, now, { start, count }, start + period - now)
