// Node's own start, for a module.
