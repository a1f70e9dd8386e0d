-- Shows what the key holds, what is left of its stay and when it ends. A key that holds nothing is given the
-- placeholder ARGV[1] for ARGV[2] milliseconds, and that is shown.
local held = redis.call('GET', KEYS[1])
if not held then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  held = ARGV[1]
end
local stamp = redis.pcall('PEXPIRETIME', KEYS[1])
-- Before Redis 7 there is no such command.
if type(stamp) ~= 'number' then
  stamp = false
end
return { held, redis.call('PTTL', KEYS[1]), stamp }
