"""What the states of the workflows do; the doors in `handlers` only parse, call one function here, and answer."""
