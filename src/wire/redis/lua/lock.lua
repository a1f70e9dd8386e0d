-- Takes the lock KEYS[1] for the token ARGV[1] and ARGV[2] milliseconds if nobody holds it; returns its fencing number.
-- KEYS[2] has the last number for ever; one that is gone or has come back from an earlier time is overtaken by the clock.
-- A double holds these numbers to the year 2255. Where somebody does hold it, KEYS[3] stands for ARGV[3] milliseconds, if that is not
-- '', so that whoever unlocks wakes the one who waits.
local mine = own(KEYS[1], ARGV[1])
if mine then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return mine
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  if ARGV[3] ~= '' then
    redis.call('SET', KEYS[3], '1', 'PX', ARGV[3])
  end
  return false
end
local now = redis.call('TIME')
local last = redis.pcall('GET', KEYS[2])
last = type(last) == 'string' and tonumber(last) or 0
local next = math.max(last + 1, now[1] * 1000000 + now[2])
local text = string.format('%.0f', next)
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. text, 'PX', ARGV[2])
return next
