"""Results for other programs and beside each other: `tidy` tables, `export` to CSV and JSON, `compare`."""
