-- Adds ARGV[1] to a counter; ARGV[2], milliseconds or '' for ever, is used only where this makes the counter.
-- ARGV[3] is the margin.
if not alive(KEYS[1], tonumber(ARGV[3])) then
  set(KEYS[1], ARGV[1], ARGV[2])
  return ARGV[1]
end
redis.call('INCRBY', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
