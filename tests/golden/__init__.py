"""Contents written by earlier releases, which newer releases must read. One folder for each format version."""
