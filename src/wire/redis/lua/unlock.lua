-- Frees the lock if it still is the token's: 1; 0 if nobody holds it, -1 if somebody else does. If somebody waits (KEYS[2]), the list
-- KEYS[3] wakes one: now, or when they come to it within a second.
if not own(KEYS[1], ARGV[1]) then
  return redis.call('EXISTS', KEYS[1]) == 1 and -1 or 0
end
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('DEL', KEYS[3])
  redis.call('RPUSH', KEYS[3], '1')
  redis.call('PEXPIRE', KEYS[3], 1000)
end
return 1
