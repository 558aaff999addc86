// Node's own start, for a script such as the executable.
