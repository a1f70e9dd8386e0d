-- The generic cell rate algorithm. The state is when all permits are back: microseconds, and parts of one, of which ARGV[8]
-- make one. ARGV[4] and ARGV[5] are how long the permits that are asked for take to come back, ARGV[6] and ARGV[7]
-- how long all take together.
local now = time()
local cost, cost_part = tonumber(ARGV[4]), tonumber(ARGV[5])
local most, most_part = tonumber(ARGV[6]), tonumber(ARGV[7])
local parts = tonumber(ARGV[8])
local latest = now + most
local at, part, cut = now, 0, false
local held = numbers(redis.call('GET', KEYS[1]), 2, 2)
if held then
  local then_at, then_part = held[1] + math.floor(held[2] / parts), held[2] % parts
  if then_at >= now then
    at, part = then_at, then_part
  end
  -- From the future: the clock was set back.
  if at > latest or (at == latest and part > most_part) then
    at, part, cut = latest, most_part, true
  end
end
local to, to_part = at + cost, part + cost_part
if to_part >= parts then
  to, to_part = to + 1, to_part - parts
end
local allowed = to < latest or (to == latest and to_part <= most_part)
if allowed then
  at, part = to, to_part
end
return answer(allowed, allowed or cut, now, { at, part }, at - now + 1)
