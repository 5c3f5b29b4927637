-- One report, as one step. meters/count.rs says what it does, in the same order.
--
-- Keys: nodes, epoch, and the count of one counter in one window (missing: the sender is only
-- heard, and the epoch returned). A count is a hash: `o:<incarnation>` what it counted,
-- `l:<incarnation>` its leases as `ceiling,end,forget;…`, `w` until when somebody waits.
-- Amounts are numbers of Lua: exact up to 2^53 millionths.
local incarnation = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Amounts end at the largest of a u64, as elsewhere: a larger one could not be read, and the answer
-- to all reports of a request would be lost.
local function text(number)
  if number >= 18446744073709551615 then
    return '18446744073709551615'
  end
  return string.format('%.0f', number)
end

-- A Redis that began anew, or took over from another, may know less than was told: every run of
-- one is an epoch.
local run = redis.call('INFO', 'server'):match('run_id:(%x+)')
local epoch = math.max(1, tonumber(run:sub(1, 8), 16))
if redis.call('HGET', KEYS[2], 'run') ~= run then
  redis.call('HSET', KEYS[2], 'run', run, 'quiet_until', text(now + ARGV[2]))
end
local is_quiet = now < tonumber(redis.call('HGET', KEYS[2], 'quiet_until'))
redis.call('ZADD', KEYS[1], now, incarnation)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
if not KEYS[3] then
  return epoch
end
local nodes = redis.call('ZCARD', KEYS[1])

local sent_at, reported = tonumber(ARGV[4]), tonumber(ARGV[5])
local limit, wanted, waited = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local lease_ms, forget_ms, margin = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

local owns, leases, waiting_until = {}, {}, 0
local fields = redis.call('HGETALL', KEYS[3])
for i = 1, #fields, 2 do
  local kind, who, value = fields[i]:sub(1, 1), fields[i]:sub(3), fields[i + 1]
  if kind == 'o' then
    owns[who] = tonumber(value)
  elseif kind == 'l' then
    local list = {}
    for ceiling, ends, forget in value:gmatch('(%d+),(%d+),(%d+);') do
      if now < tonumber(forget) then
        list[#list + 1] = { tonumber(ceiling), tonumber(ends), tonumber(forget) }
      end
    end
    leases[who] = list
  else
    waiting_until = tonumber(value)
  end
end

local before = owns[incarnation] or 0
local own = math.max(before, reported)
local mine = {}
for _, lease in ipairs(leases[incarnation] or {}) do
  if sent_at < lease[2] + margin then
    mine[#mine + 1] = lease
  end
end

local others, held = 0, 0
for who, count in pairs(owns) do
  if who ~= incarnation then
    local reach = count
    for _, lease in ipairs(leases[who] or {}) do
      reach = math.max(reach, lease[1])
    end
    others, held = others + count, held + reach
  end
end

local left = math.max(0, limit - held - own)
local is_full = others + own + wanted > limit
local somebody_waits = now < waiting_until
local part = left
if nodes > 1 then
  part = math.floor(left / (2 * nodes))
end
local room = 0
if wanted == 0 then
  if own > before and not is_quiet and not somebody_waits then
    room = part
  end
elseif not is_full and not is_quiet and left >= wanted then
  local needed = math.min(left, wanted + tonumber(ARGV[14]))
  room = somebody_waits and needed or math.max(part, needed)
end

local verdict = 0
if wanted > 0 and is_full then
  verdict = 1
elseif wanted > 0 and room < wanted then
  verdict = 2
  if not is_quiet then
    redis.call('HSET', KEYS[3], 'w', text(now + ARGV[12]))
  end
end

local valid = 0
if room > 0 then
  valid = waited + lease_ms
  local new = { own + room, sent_at + valid, now + forget_ms }
  local kept = {}
  for _, lease in ipairs(mine) do
    if lease[1] > new[1] or lease[2] > new[2] or lease[3] > new[3] then
      kept[#kept + 1] = lease
    end
  end
  kept[#kept + 1] = new
  mine = kept
end

local packed = ''
for _, lease in ipairs(mine) do
  packed = packed .. text(lease[1]) .. ',' .. text(lease[2]) .. ',' .. text(lease[3]) .. ';'
end
redis.call('HSET', KEYS[3], 'o:' .. incarnation, text(own), 'l:' .. incarnation, packed)
redis.call('PEXPIREAT', KEYS[3], ARGV[13])
return { verdict, text(others), text(own + room), text(valid), nodes, epoch }
