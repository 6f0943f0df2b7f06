-- Which topic an offset counts in: one that was deleted and created anew has another id, and its offsets begin at 0.
ALTER TABLE sink_offsets ADD COLUMN IF NOT EXISTS topic_id text;
