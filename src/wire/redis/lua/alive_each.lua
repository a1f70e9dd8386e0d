-- Which of the keys hold a value: 1 or 0 for each. ARGV[1] is the margin.
local seen = {}
for position, key in ipairs(KEYS) do
  seen[position] = alive(key, tonumber(ARGV[1])) and 1 or 0
end
return seen
