"""One file a stage: load, one call into the core or a gateway, publish."""
