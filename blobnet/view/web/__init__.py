"""Pages for a browser, each one file that asks for nothing: the gallery of a search, the report of an evaluation."""
