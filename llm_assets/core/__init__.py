"""Pure decisions: values in, values out, no files, no clock, no network."""
