"""What feeds a net, in four rooms: images (read, resized, transformed), stores (databases and HDF5 files), batches
(what a data layer reads ahead) and sets (known data sets, turned into stores). A room imports from those before it.
"""
