"""Contents as releases wrote them: what a newer release must still read. A folder for each version of the format."""
