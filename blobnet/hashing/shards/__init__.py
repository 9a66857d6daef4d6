"""Search in bases larger than the memory: FAISS's inverted lists in shards, which are mapped from their files."""
