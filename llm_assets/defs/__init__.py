"""The only code that knows Dagster."""
