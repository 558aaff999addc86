// Does nothing, as a CommonJS script: Node's own start, and nothing else.
