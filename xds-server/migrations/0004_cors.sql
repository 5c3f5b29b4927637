-- Which pages may call a proxy from a browser: base64 of the encoded message of the region link. Null: none.
ALTER TABLE proxy ADD COLUMN cors TEXT;
