-- Stores ARGV[1] for ARGV[2] if the key holds no value (ARGV[4] is 'absent') or one ('present'). ARGV[3] is the margin.
local there = alive(KEYS[1], tonumber(ARGV[3]))
if (ARGV[4] == 'absent' and there) or (ARGV[4] == 'present' and not there) then
  return 0
end
return set(KEYS[1], ARGV[1], ARGV[2])
