"""Reading tables of every supported format into one shape, with every fault named by file and line."""
