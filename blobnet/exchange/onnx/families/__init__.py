"""What becomes of the layer types, a file a family. Importing a file registers its functions."""
