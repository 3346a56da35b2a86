"""The charter language: a file becomes text, a block, located nodes, and a typed `Charter`."""
