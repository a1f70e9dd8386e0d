-- Holds the lock for ARGV[2] milliseconds from now if it still is the token's; returns its fencing number.
local mine = own(KEYS[1], ARGV[1])
if mine then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return mine
