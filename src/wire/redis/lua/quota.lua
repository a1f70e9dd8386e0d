-- What the scripts of rate limits share. Times are whole microseconds below 2^53, which numbers here hold exactly.
-- ARGV[1] is the time, or '' for the server's own; ARGV[2] how many milliseconds the state stays, or '' for as long as it
-- means something; ARGV[3] how many permits are asked for, 0 for a look.
local function time()
  if ARGV[1] ~= '' then
    return tonumber(ARGV[1])
  end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- Numbers as text: by itself, a large one would be rounded.
local function text(numbers)
  for at, number in ipairs(numbers) do
    numbers[at] = string.format('%.0f', number)
  end
  return table.concat(numbers, ' ')
end

-- The numbers that a limiter wrote, as many as there may be; nil for anything else.
local function numbers(held, least, most)
  if not held or #held > 17 * most or not string.find(held, '^[%d ]+$') then
    return nil
  end
  local found = {}
  for digits in string.gmatch(held, '%d+') do
    if #digits > 16 then
      return nil
    end
    found[#found + 1] = tonumber(digits)
  end
  if #found < least or #found > most then
    return nil
  end
  return found
end

-- Stores the state if there is something new in it, and answers with it. It means something for `rest` more; the
-- server's lifetimes end by a clock that ticks in milliseconds, so there is one more for the tick under way.
local function answer(allowed, changed, now, state, rest)
  state = text(state)
  if changed and ARGV[3] ~= '0' then
    local stay = ARGV[2]
    if stay == '' then
      stay = string.format('%.0f', math.floor(rest / 1000) + 2)
    end
    redis.call('SET', KEYS[1], state, 'PX', stay)
  end
  return { allowed and 1 or 0, now, state }
end
