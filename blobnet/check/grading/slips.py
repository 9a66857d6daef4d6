"""The slips that a grader tells apart, as words for machines."""

from __future__ import annotations

from enum import Enum


class Slip(str, Enum):
    """What a student most likely did. The names are stable: files and programs may rely on them."""

    # The file.
    BLANK = "BLANK"                    # an `...` is still there
    SYNTAX = "SYNTAX"                  # it is no Python
    ERROR = "ERROR"                    # its code raises an exception
    NAME = "NAME"                      # a name or an attribute that is not there
    NO_EXERCISE = "NO_EXERCISE"        # no EXERCISE, or one that is none
    NOT_REGISTERED = "NOT_REGISTERED"  # no registered class of the type that EXERCISE names
    # What is written where.
    SHAPE = "SHAPE"                    # arrays of a wrong shape, or that do not fit each other
    WRITES = "WRITES"                  # something is written that must stay as it is
    UNWRITTEN = "UNWRITTEN"            # something is not written, wholly or in part
    OVERWRITTEN = "OVERWRITTEN"        # the diff of a parameter is overwritten, not added to
    ACCUMULATED = "ACCUMULATED"        # the data of a top or the diff of a bottom is added to, not overwritten
    PROPAGATE_DOWN = "PROPAGATE_DOWN"  # a diff is written that nobody asked for
    # Numbers.
    FACTOR = "FACTOR"                  # a constant factor
    SIGN = "SIGN"
    TRANSPOSED = "TRANSPOSED"
    FLIPPED = "FLIPPED"                # a kernel upside down
    UPSTREAM = "UPSTREAM"              # the diff of the top is forgotten, or counted twice
    LOSS_WEIGHT = "LOSS_WEIGHT"        # the same of a loss
    SLOPE = "SLOPE"                    # a factor that varies from element to element
    SWAPPED = "SWAPPED"                # two bottoms, or like and unlike, changed places
    LABEL = "LABEL"                    # labels are off by one
    BIAS = "BIAS"                      # a bias is forgotten, or counted twice
    PARAMETER = "PARAMETER"            # a parameter is not used
    BATCH_MEAN = "BATCH_MEAN"          # a mean over the batch is forgotten
    VARIANCE = "VARIANCE"              # the term through the variance is forgotten
    SUM = "SUM"                        # a term that sums over a row is forgotten
    ROWS = "ROWS"                      # only some rows or places count
    AXIS = "AXIS"
    OPTION = "OPTION"                  # an option is not used, or another is
    PADDING = "PADDING"
    EPS = "EPS"
    WINDOW = "WINDOW"                  # a window is off by one
    ROOT = "ROOT"                      # a square root or a square is missing
    ABSOLUTE = "ABSOLUTE"              # sizes are taken without their signs
    FUNCTION = "FUNCTION"              # a logarithm, an inverse or the like is missing
    OFFSET = "OFFSET"                  # something constant is added
    MASK = "MASK"                      # elements are let through, or held back, that should not be
    TIES = "TIES"                      # equal maxima
    KINK = "KINK"                      # the slope at a corner, which is a matter of taste
    NOT_FINITE = "NOT_FINITE"          # nan or inf
    # How it stands.
    RANDOM = "RANDOM"                  # numbers that the layer's own stream does not give
    PHASE = "PHASE"                    # TRAIN and TEST
    STATE = "STATE"                    # something is left from an earlier batch
    PRECISION = "PRECISION"            # float32 and float64 differ
    UNKNOWN = "UNKNOWN"                # no usual slip gives these numbers
