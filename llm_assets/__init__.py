"""A table in, an LLM's checked answer for every row out, as a Dagster asset graph."""
