-- Which pages may call a proxy from a browser (JSON); null: none.
ALTER TABLE proxy ADD COLUMN cors TEXT;
