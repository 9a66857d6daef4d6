"""Names wired to arrays: Blob, Layer and Net, their registry, parameters and files of weights."""
