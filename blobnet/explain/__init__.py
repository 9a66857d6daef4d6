"""Every number of forward and backward of a net, explained."""
