"""A net explained: every number of its forward and backward passes, on a page of HTML."""
