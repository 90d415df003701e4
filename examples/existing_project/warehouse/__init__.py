"""A small Dagster project: a bicycle shop's data."""
