-- Frees the lock if it still is the token's: 1; 0 if nobody holds it, -1 if somebody else does.
if own(KEYS[1], ARGV[1]) then
  redis.call('UNLINK', KEYS[1])
  return 1
end
return redis.call('EXISTS', KEYS[1]) == 1 and -1 or 0
