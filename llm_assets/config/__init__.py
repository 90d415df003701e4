"""What a person can set, with every default and every name, as values without any I/O."""
