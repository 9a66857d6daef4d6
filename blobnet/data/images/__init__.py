"""Images: reading and writing their files, lists of them, resizing, cropping, means, Caffe's transform_param."""
