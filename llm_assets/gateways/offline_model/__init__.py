"""A model that needs no key and no network, for rehearsals: it answers from the prompt's own words."""
