"""What blobnet says while it works: lines that parsers of Caffe's logs understand, or a progress bar on a terminal.

Everything but tables goes through Python's logging. This room knows nothing of nets and solvers: it is given numbers
and names.
"""
