"""Stores: databases of records (LMDB, LevelDB) behind one interface, their Datum records, and HDF5 files."""
